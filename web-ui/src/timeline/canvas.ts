// A picture onto a canvas, as sharp as the screen is.

import { paint, type Palette, type Picture } from './paint';

export function draw(
    canvas: HTMLCanvasElement,
    width: number,
    height: number,
    picture: Picture,
    colours: Palette,
): void {
    const density = devicePixelRatio;
    const [wide, high] = [Math.round(width * density), Math.round(height * density)];
    if (canvas.width !== wide || canvas.height !== high) {
        canvas.width = wide;
        canvas.height = high;
    }
    const context = canvas.getContext('2d');
    if (context === null) return;
    context.setTransform(density, 0, 0, density, 0, 0);
    paint(context, picture, colours);
}
