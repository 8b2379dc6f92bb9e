// Where devices stand in the picture of the links. Those that were placed stay where they are; what is new settles beside what it is
// linked to. The same lab gives the same picture: nothing is left to chance. Pure.

import type { Link } from './links';

export type Spot = { readonly x: number; readonly y: number };

/** The length that a link would like to have. */
const LINK_PIXELS = 170;
const STEPS_MAX = 300;
/** Pairs that are looked at in all steps together: a large lab gets fewer steps. */
const PAIRS_MAX = 30_000_000;
const GOLDEN_ANGLE = Math.PI * (3 - Math.sqrt(5));

/** Places for all devices. */
export function layout(
    devices: readonly string[],
    links: readonly Pick<Link, 'devices'>[],
    known: ReadonlyMap<string, Spot>,
): Map<string, Spot> {
    const spots = devices.map((device, nth) => {
        const spot = known.get(device) ?? beginning(device, nth, { links, known });
        return { device, x: spot.x, y: spot.y, isFree: !known.has(device) };
    });
    const free = spots.filter(({ isFree }) => isFree);
    if (free.length === 0) return new Map(spots.map(({ device, x, y }) => [device, { x, y }]));
    const places = new Map(devices.map((device, nth) => [device, nth]));
    const joined = links.flatMap(({ devices: [one, other] }) => {
        const [from, to] = [places.get(one), places.get(other)];
        return from === undefined || to === undefined || from === to ? [] : [{ from, to }];
    });
    const steps = Math.min(STEPS_MAX, Math.max(10, Math.floor(PAIRS_MAX / (free.length * spots.length))));
    for (let step = 0; step < steps; step++)
        settle(spots, joined, LINK_PIXELS * 0.5 * (1 - step / steps) + 1);
    return new Map(spots.map(({ device, x, y }) => [device, { x, y }]));
}

/** A first place: beside what it is linked to and that has one, else on a spiral around the middle. */
function beginning(
    device: string,
    nth: number,
    { links, known }: { links: readonly Pick<Link, 'devices'>[]; known: ReadonlyMap<string, Spot> },
): Spot {
    const others = links.flatMap(({ devices: [one, other] }) =>
        one === device ? [other] : other === device ? [one] : [],
    );
    const placed = others.flatMap((other) => known.get(other) ?? []);
    const away = { x: Math.cos(nth * GOLDEN_ANGLE), y: Math.sin(nth * GOLDEN_ANGLE) };
    if (placed.length > 0) {
        const middle = { x: mean(placed.map(({ x }) => x)), y: mean(placed.map(({ y }) => y)) };
        return { x: middle.x + away.x * LINK_PIXELS, y: middle.y + away.y * LINK_PIXELS };
    }
    const far = LINK_PIXELS * 0.6 * Math.sqrt(nth + 0.5);
    return { x: away.x * far, y: away.y * far };
}

const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

type Moving = { x: number; y: number; readonly isFree: boolean };

/** One step: all push each other away, links pull their ends together. What is placed does not move. */
function settle(spots: Moving[], joined: readonly { from: number; to: number }[], most: number): void {
    const pushes = spots.map(() => ({ x: 0, y: 0 }));
    const push = (nth: number, x: number, y: number): void => {
        const sum = pushes[nth];
        if (sum === undefined) return;
        sum.x += x;
        sum.y += y;
    };
    spots.forEach((spot, nth) => {
        if (!spot.isFree) return;
        spots.forEach((other, far) => {
            if (far === nth) return;
            // Two on one place go apart by their order.
            const x = spot.x - other.x || (nth - far) * 0.1;
            const y = spot.y - other.y || (far - nth) * 0.1;
            const square = Math.max(100, x * x + y * y);
            const force = (LINK_PIXELS * LINK_PIXELS) / square;
            push(nth, x * force, y * force);
        });
        // Parts that are not joined do not drift away.
        push(nth, -spot.x * 0.02, -spot.y * 0.02);
    });
    for (const { from, to } of joined) {
        const [one, other] = [spots[from], spots[to]];
        if (one === undefined || other === undefined) continue;
        const [x, y] = [other.x - one.x, other.y - one.y];
        const length = Math.max(1, Math.hypot(x, y));
        const pull = ((length - LINK_PIXELS) / length) * 0.5;
        push(from, x * pull, y * pull);
        push(to, -x * pull, -y * pull);
    }
    spots.forEach((spot, nth) => {
        const { x, y } = pushes[nth] ?? { x: 0, y: 0 };
        const far = Math.hypot(x, y);
        if (!spot.isFree || far === 0) return;
        const step = Math.min(most, far) / far;
        spot.x += x * step;
        spot.y += y * step;
    });
}

/** A picture's place in its window. */
export type View = { readonly x: number; readonly y: number; readonly scale: number };

const SCALE_MAX = 2;
const EDGE_PIXELS = 90;

/** The view in which all is seen. */
export function fitted(spots: Iterable<Spot>, width: number, height: number): View {
    const all = [...spots];
    if (all.length === 0) return { x: width / 2, y: height / 2, scale: 1 };
    const xs = all.map(({ x }) => x);
    const ys = all.map(({ y }) => y);
    const least = {
        x: xs.reduce((one, other) => Math.min(one, other)),
        y: ys.reduce((one, other) => Math.min(one, other)),
    };
    const most = {
        x: xs.reduce((one, other) => Math.max(one, other)),
        y: ys.reduce((one, other) => Math.max(one, other)),
    };
    const wide = Math.max(1, most.x - least.x + 2 * EDGE_PIXELS);
    const high = Math.max(1, most.y - least.y + 2 * EDGE_PIXELS);
    const scale = Math.min(1, width / wide, height / high);
    return {
        x: width / 2 - ((least.x + most.x) / 2) * scale,
        y: height / 2 - ((least.y + most.y) / 2) * scale,
        scale,
    };
}

/** The view after a turn of the wheel: what is under the pointer stays there. */
export function zoomed(view: View, by: number, at: Spot): View {
    const scale = Math.min(SCALE_MAX, Math.max(0.05, view.scale * by));
    const ratio = scale / view.scale;
    return { x: at.x - (at.x - view.x) * ratio, y: at.y - (at.y - view.y) * ratio, scale };
}
