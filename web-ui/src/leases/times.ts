// Spans and instants as people type and read them where they lease things: pure, so that a change of the clock, a leap day
// and a typing error are tried without a browser.

import { short } from '../parts/time';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const UNITS: Record<string, number> = { m: MINUTE, min: MINUTE, h: HOUR, d: DAY, w: 7 * DAY };

/** A span as the command line takes it, in milliseconds: `90m`, `2h`, `1h 30m`, `3d`. Nothing for any other text, and for none at all. */
export function readSpan(text: string): number | undefined {
    const parts = [...text.matchAll(/(\d{1,6}(?:\.\d{1,3})?)\s*(min|[mhdw])/g)];
    const rest = text.replaceAll(/(\d{1,6}(?:\.\d{1,3})?)\s*(min|[mhdw])/g, '').trim();
    if (parts.length === 0 || rest !== '') return undefined;
    const millis = parts.reduce((sum, [, count, unit]) => sum + Number(count) * (UNITS[unit ?? ''] ?? 0), 0);
    return millis > 0 ? Math.round(millis) : undefined;
}

/** A span as it is typed: `2h`, `1h 30m`, `3d`. */
export function writeSpan(millis: number): string {
    const minutes = Math.max(1, Math.round(millis / MINUTE));
    const parts = [
        [Math.floor(minutes / 1_440), 'd'],
        [Math.floor((minutes % 1_440) / 60), 'h'],
        [minutes % 60, 'm'],
    ] as const;
    return parts
        .filter(([count]) => count > 0)
        .map(([count, unit]) => `${count}${unit}`)
        .join(' ');
}

/** How long there is: `less than a minute`, `14 min`, `1 h 59 min`, `2 d 3 h`. */
export function rough(millis: number): string {
    const minutes = Math.floor(millis / MINUTE);
    if (minutes < 1) return 'less than a minute';
    if (minutes < 60) return `${minutes} min`;
    if (minutes < 1_440)
        return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
    const hours = Math.floor((minutes % 1_440) / 60);
    return hours === 0 ? `${Math.floor(minutes / 1_440)} d` : `${Math.floor(minutes / 1_440)} d ${hours} h`;
}

/** The time left until an instant; `over` when it has come. */
export const left = (until: number, now: number): string =>
    until <= now ? 'over' : `${rough(until - now)} left`;

const two = (value: number): string => String(value).padStart(2, '0');

/** An instant as a field for day and time has it, here: `2026-12-01T06:00`. */
export function toField(at: number): string {
    const date = new Date(at);
    return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** The instant that a field for day and time says, here; nothing for an empty or impossible one. */
export function fromField(text: string): number | undefined {
    const at = new Date(text).getTime();
    return text === '' || Number.isNaN(at) ? undefined : at;
}

/** Day and time without seconds: `14:00`, `Tue Dec 1 06:00`. */
export function clockTime(at: number, now: number): string {
    const date = new Date(at);
    const time = `${two(date.getHours())}:${two(date.getMinutes())}`;
    if (date.toDateString() === new Date(now).toDateString()) return time;
    const year = date.getFullYear() === new Date(now).getFullYear() ? '' : ` ${date.getFullYear()}`;
    return `${date.toLocaleString('en', { weekday: 'short' })} ${date.toLocaleString('en', { month: 'short' })} ${date.getDate()}${year} ${time}`;
}

/** From when until when, the day said once: `14:00–16:00`, `Tue Dec 1 06:00–08:00`. */
export function period(from: number, to: number, now: number): string {
    const same = new Date(from).toDateString() === new Date(to).toDateString();
    return same
        ? `${clockTime(from, now)}–${clockTime(to, to)}`
        : `${clockTime(from, now)} – ${clockTime(to, now)}`;
}

/** A sentence of the engine, which names instants in its own zone, with those of here. */
export function withTimesOfHere(sentence: string, now: number): string {
    return sentence.replaceAll(/\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z/g, (instant) =>
        short(Date.parse(instant), now).replace(/^(\d{2}:\d{2}):\d{2}$/, '$1'),
    );
}
