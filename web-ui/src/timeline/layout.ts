// Which bars are drawn where. Bars that would share a pixel become one: in the colour of most of them, with an edge in that
// of the loudest. So ten thousand marks cost no more than the picture has pixels, a good night looks good, and no failure is
// hidden under a pass.

import type { Scale } from './scale';

/** Something that took time. */
export interface Mark {
    readonly id: string;
    /** The id of its lane. */
    readonly lane: string;
    /** Waiting is not working, and is drawn apart from it. */
    readonly kind: 'work' | 'wait';
    /** Milliseconds since 1970. */
    readonly from: number;
    /** None while it goes on. */
    readonly to?: number | undefined;
    /** Its colour: one of the verdicts' words, in small letters, or `running`. */
    readonly tone: Tone;
    /** What it is. */
    readonly label: string;
    /** Why it waits, or why it did not pass. */
    readonly reason?: string | undefined;
}

/** From the quietest to the loudest. */
export const TONES = [
    'waiting',
    'skipped',
    'not_executed',
    'pass',
    'running',
    'aborted',
    'invalid',
    'timeout',
    'fail',
] as const;
export type Tone = (typeof TONES)[number];

export interface Lane {
    readonly id: string;
    readonly label: string;
}

/** A bar of the picture. */
export interface Bar {
    readonly x: number;
    readonly width: number;
    readonly lane: number;
    readonly kind: Mark['kind'];
    /** That of most of its marks. */
    readonly tone: Tone;
    /** The loudest of the marks it stands for. */
    readonly mark: Mark;
    /** How many marks it stands for. */
    readonly marks: number;
}

/** A bar that is still being put together. */
interface Growing extends Bar {
    readonly tones: Map<Tone, number>;
}

/** Below this a bar is not seen. */
const BAR_PIXELS_MIN = 2;

/** The bars of all marks, lane by lane from left to right. What goes on is drawn until `now`. */
export function bars(marks: readonly Mark[], lanes: readonly Lane[], scale: Scale, now: number): Bar[] {
    const places = new Map(lanes.map((lane, index) => [lane.id, index]));
    const byLane: Mark[][] = lanes.map(() => []);
    for (const mark of marks) {
        const lane = places.get(mark.lane);
        if (lane !== undefined && end(mark, now) >= scale.from && mark.from <= scale.to)
            byLane[lane]?.push(mark);
    }
    return byLane.flatMap((of, lane) => {
        of.sort((one, other) => one.from - other.from);
        const work = of.filter((mark) => mark.kind === 'work');
        const wait = of.filter((mark) => mark.kind === 'wait');
        return [...merged(wait, lane, scale, now), ...merged(work, lane, scale, now)];
    });
}

/** When a mark is over, or will be as far as one knows. */
export function end(mark: Mark, now: number): number {
    return Math.max(mark.from, mark.to ?? now);
}

function merged(marks: readonly Mark[], lane: number, scale: Scale, now: number): Bar[] {
    const drawn: Growing[] = [];
    for (const mark of marks) {
        const x = scale.x(mark.from);
        const width = Math.max(BAR_PIXELS_MIN, scale.x(end(mark, now)) - x);
        const before = drawn.at(-1);
        // Only bars that are too thin to be told apart: a long test beside a short one stays what it is.
        const isThin = width <= BAR_PIXELS_MIN && before !== undefined && before.width <= BAR_PIXELS_MIN * 2;
        if (before !== undefined && isThin && x < before.x + before.width) {
            drawn[drawn.length - 1] = joined(before, mark, x + width);
        } else {
            const tones = new Map([[mark.tone, 1]]);
            drawn.push({ x, width, lane, kind: mark.kind, tone: mark.tone, mark, marks: 1, tones });
        }
    }
    return drawn;
}

function joined(bar: Growing, mark: Mark, right: number): Growing {
    const isLouder = TONES.indexOf(mark.tone) > TONES.indexOf(bar.mark.tone);
    const edge = Math.min(bar.x + BAR_PIXELS_MIN * 2, Math.max(bar.x + bar.width, right));
    const count = (bar.tones.get(mark.tone) ?? 0) + 1;
    bar.tones.set(mark.tone, count);
    const tone = count > (bar.tones.get(bar.tone) ?? 0) ? mark.tone : bar.tone;
    return { ...bar, tone, mark: isLouder ? mark : bar.mark, width: edge - bar.x, marks: bar.marks + 1 };
}

/** The bar under a point; of several the one that is drawn on top, with some mercy for thin ones. */
export function hit(drawn: readonly Bar[], x: number, lane: number): Bar | undefined {
    const near = (bar: Bar): number => Math.max(0, bar.x - x, x - (bar.x + bar.width));
    let best: Bar | undefined;
    for (const bar of drawn) {
        if (bar.lane !== lane || near(bar) > 3) continue;
        if (best === undefined || near(bar) <= near(best)) best = bar;
    }
    return best;
}

/** The mark to which an arrow key leads: left and right along the lane, up and down to what is nearest in time. */
export function neighbour(
    marks: readonly Mark[],
    lanes: readonly Lane[],
    at: Mark | undefined,
    key: string,
): Mark | undefined {
    const first = (of: readonly Mark[]): Mark | undefined =>
        of.reduce<Mark | undefined>(
            (best, mark) => (best === undefined || mark.from < best.from ? mark : best),
            undefined,
        );
    if (at === undefined) return first(marks);
    const inLane = marks.filter((mark) => mark.lane === at.lane).sort(inOrder);
    const place = inLane.findIndex((mark) => mark.id === at.id);
    switch (key) {
        case 'ArrowRight':
            return inLane[place + 1] ?? at;
        case 'ArrowLeft':
            return inLane[place - 1] ?? at;
        case 'Home':
            return inLane[0];
        case 'End':
            return inLane.at(-1);
        case 'ArrowDown':
        case 'ArrowUp':
            return nearest(marks, lanes, at, key === 'ArrowDown' ? 1 : -1) ?? at;
        default:
            return undefined;
    }
}

function inOrder(one: Mark, other: Mark): number {
    return one.from - other.from || one.id.localeCompare(other.id);
}

function nearest(marks: readonly Mark[], lanes: readonly Lane[], at: Mark, step: 1 | -1): Mark | undefined {
    let lane = lanes.findIndex((each) => each.id === at.lane) + step;
    for (; lane >= 0 && lane < lanes.length; lane += step) {
        const there = marks.filter((mark) => mark.lane === lanes[lane]?.id);
        const distance = (mark: Mark): number => Math.abs(mark.from - at.from);
        const best = there.sort((one, other) => distance(one) - distance(other))[0];
        if (best !== undefined) return best;
    }
    return undefined;
}
