// Instants on a grid of days: where a stretch of time is drawn, and which time a place on the grid means. Days go from
// midnight to midnight here, so one is 23 or 25 hours long when the clocks change, and is drawn as wide as the others.

import type { Span } from '../../leases/standing';

/** Times that are pointed at are rounded to this. */
export const SNAP_MILLIS = 15 * 60_000;

/** A number of days from the midnight before an instant. */
export function daysFrom(at: number, count: number): Span[] {
    const first = new Date(at);
    const midnight = (plus: number): number =>
        new Date(first.getFullYear(), first.getMonth(), first.getDate() + plus).getTime();
    return Array.from({ length: count }, (_, nth) => ({ from: midnight(nth), to: midnight(nth + 1) }));
}

/** The midnight at which the week of an instant begins: that of its Monday. */
export function mondayOf(at: number): number {
    const date = new Date(at);
    const back = (date.getDay() + 6) % 7;
    return new Date(date.getFullYear(), date.getMonth(), date.getDate() - back).getTime();
}

const two = (value: number): string => String(value).padStart(2, '0');

/** A day as an address has it: `2026-12-01`. */
export function toDay(at: number): string {
    const date = new Date(at);
    return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** The midnight of a day of an address; nothing for what is none. */
export function fromDay(text: string | undefined): number | undefined {
    const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text ?? '');
    if (parts === null) return undefined;
    const [year, month, day] = parts.slice(1).map(Number);
    const date = new Date(year ?? 0, (month ?? 1) - 1, day);
    // February 30 is no day.
    return toDay(date.getTime()) === text ? date.getTime() : undefined;
}

/** The name of a day above its column: `Tue Dec 1`. */
export function dayName(at: number): string {
    const date = new Date(at);
    const word = (part: 'weekday' | 'month'): string => date.toLocaleString('en', { [part]: 'short' });
    return `${word('weekday')} ${word('month')} ${date.getDate()}`;
}

/** How many days from the left edge an instant is drawn; beyond the edges at the edges. */
export function placeOf(at: number, days: readonly Span[]): number {
    const nth = days.findIndex(({ to }) => at < to);
    const day = days[nth];
    if (day === undefined) return days.length;
    return nth + Math.max(0, at - day.from) / (day.to - day.from);
}

/** The instant at so many days from the left edge, rounded. */
export function timeAt(place: number, days: readonly Span[]): number {
    const last = days.length - 1;
    const nth = Math.min(last, Math.max(0, Math.floor(place)));
    const day = days[nth];
    if (day === undefined) return 0;
    const at = (place - nth) * (day.to - day.from);
    return day.from + Math.round(at / SNAP_MILLIS) * SNAP_MILLIS;
}

/** Where a stretch of time is drawn: in which day it begins, how far into it, and how many days wide. Nothing where it is not seen. */
export type Drawn = { day: number; left: number; width: number; begins: boolean; ends: boolean };

export function drawn(span: Span, days: readonly Span[]): Drawn | undefined {
    const [first, last] = [days.at(0), days.at(-1)];
    if (first === undefined || last === undefined || span.to <= first.from || span.from >= last.to)
        return undefined;
    const [from, to] = [placeOf(span.from, days), placeOf(span.to, days)];
    const day = Math.min(Math.floor(from), days.length - 1);
    return {
        day,
        left: from - day,
        width: Math.max(to - from, 0.01),
        begins: span.from >= first.from,
        ends: span.to <= last.to,
    };
}

/** Which of several lines each stretch of time is drawn on, so that none hides another; and how many lines there are. */
export function lines(spans: readonly Span[]): { line: number; of: number }[] {
    const ends: number[] = [];
    const order = spans
        .map((_, nth) => nth)
        .sort((one, other) => (spans[one]?.from ?? 0) - (spans[other]?.from ?? 0));
    const placed = new Map<number, number>();
    for (const nth of order) {
        const span = spans[nth];
        if (span === undefined) continue;
        const free = ends.findIndex((end) => end <= span.from);
        const line = free < 0 ? ends.length : free;
        ends[line] = span.to;
        placed.set(nth, line);
    }
    return spans.map((_, nth) => ({ line: placed.get(nth) ?? 0, of: Math.max(1, ends.length) }));
}

/** What is dragged: a new time, a booking, or one end of it. */
export type Grip = 'new' | 'whole' | 'from' | 'to';

/** The time that dragging means: from where it was taken to where the pointer is, never shorter than a step. */
export function dragged(grip: Grip, was: Span, taken: number, at: number): Span {
    switch (grip) {
        case 'new':
            return at >= taken
                ? { from: taken, to: Math.max(at, taken + SNAP_MILLIS) }
                : { from: at, to: taken };
        case 'whole':
            return moved(was, taken, at);
        case 'from':
            return { from: Math.min(at, was.to - SNAP_MILLIS), to: was.to };
        case 'to':
            return { from: was.from, to: Math.max(at, was.from + SNAP_MILLIS) };
    }
}

/** What a clock on the wall here shows, counted as if the clocks never changed. */
const wall = (at: number): number => at - new Date(at).getTimezoneOffset() * 60_000;

/** The instant at which the clocks here show that. */
function instantOf(shown: number): number {
    const of = new Date(shown);
    return new Date(
        of.getUTCFullYear(),
        of.getUTCMonth(),
        of.getUTCDate(),
        of.getUTCHours(),
        of.getUTCMinutes(),
    ).getTime();
}

/** The same time so much later or earlier by the clocks: over a change of them it keeps the time of the day, and its length. */
function moved({ from, to }: Span, taken: number, at: number): Span {
    const begin = instantOf(wall(from) + wall(at) - wall(taken));
    return { from: begin, to: begin + (to - from) };
}
