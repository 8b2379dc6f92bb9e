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

/** Calls when the theme has changed: with the system, or on the page. Answers how to stop. */
export function whenTheme(changed: () => void): () => void {
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', changed);
    const watcher = new MutationObserver(changed);
    watcher.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    return () => {
        dark.removeEventListener('change', changed);
        watcher.disconnect();
    };
}
