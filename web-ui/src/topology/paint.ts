// The picture of the links: devices as boxes with their names, cables as lines. Drawn whole each time.

import type { Spot, View } from './layout';

export const BOX = { width: 132, height: 34 };

/** How a device looks: who has it, and how it is. */
export type Mark = 'free' | 'held' | 'mine' | 'bad';

export type Drawing = {
    readonly boxes: readonly {
        readonly path: string;
        readonly name: string;
        readonly more: string;
        readonly spot: Spot;
        readonly mark: Mark;
        readonly isChosen: boolean;
    }[];
    /** Cables between two devices, and how many. */
    readonly lines: readonly { readonly from: Spot; readonly to: Spot; readonly count: number }[];
    /** A cable that is being drawn. */
    readonly wish: { readonly from: Spot; readonly to: Spot } | undefined;
};

export type Colours = Readonly<
    Record<'ink' | 'quiet' | 'edge' | 'surface' | 'focus' | 'accent' | 'held' | 'mine' | 'bad', string>
>;

export function paint(
    context: CanvasRenderingContext2D,
    { boxes, lines, wish }: Drawing,
    {
        view,
        colours,
        width,
        height,
        font,
    }: { view: View; colours: Colours; width: number; height: number; font: string },
): void {
    const density = devicePixelRatio;
    context.setTransform(density, 0, 0, density, 0, 0);
    context.clearRect(0, 0, width, height);
    context.translate(view.x, view.y);
    context.scale(view.scale, view.scale);
    context.font = `12px ${font}`;
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    for (const { from, to, count } of lines) {
        line(context, from, to, { colour: colours.quiet, wide: count > 1 ? 2.5 : 1.25 });
        if (count > 1) {
            const middle = { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 };
            context.fillStyle = colours.surface;
            context.fillRect(middle.x - 12, middle.y - 8, 24, 16);
            context.fillStyle = colours.ink;
            context.fillText(`×${count}`, middle.x, middle.y);
        }
    }
    if (wish) line(context, wish.from, wish.to, { colour: colours.accent, wide: 2 });
    for (const { name, more, spot, mark, isChosen } of boxes) {
        const fill = { free: colours.surface, held: colours.held, mine: colours.mine, bad: colours.bad }[
            mark
        ];
        context.fillStyle = fill;
        context.strokeStyle = isChosen ? colours.focus : colours.edge;
        context.lineWidth = isChosen ? 2.5 : 1;
        context.beginPath();
        context.roundRect(spot.x - BOX.width / 2, spot.y - BOX.height / 2, BOX.width, BOX.height, 5);
        context.fill();
        context.stroke();
        context.fillStyle = colours.ink;
        context.fillText(cut(name), spot.x, spot.y - (more ? 7 : 0), BOX.width - 8);
        if (more) {
            context.font = `10px ${font}`;
            context.fillStyle = colours.quiet;
            context.fillText(cut(more), spot.x, spot.y + 8, BOX.width - 8);
            context.font = `12px ${font}`;
        }
    }
}

function line(
    context: CanvasRenderingContext2D,
    from: Spot,
    to: Spot,
    { colour, wide }: { colour: string; wide: number },
): void {
    context.strokeStyle = colour;
    context.lineWidth = wide;
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.lineTo(to.x, to.y);
    context.stroke();
}

const cut = (text: string): string => (text.length > 24 ? `${text.slice(0, 23)}…` : text);
