// Times and spans as people read them: aligned, no more exact than is of use.

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const two = (value: number) => String(value).padStart(2, '0');

/** How long something took: `0.42 s`, `7.1 s`, `3 m 07 s`, `2 h 05 m`, `4 d 03 h`. */
export function span(millis: number): string {
    if (millis < 10 * SECOND) return `${(Math.max(0, millis) / SECOND).toFixed(millis < SECOND ? 2 : 1)} s`;
    if (millis < MINUTE) return `${Math.floor(millis / SECOND)} s`;
    if (millis < HOUR)
        return `${Math.floor(millis / MINUTE)} m ${two(Math.floor((millis % MINUTE) / SECOND))} s`;
    if (millis < DAY) return `${Math.floor(millis / HOUR)} h ${two(Math.floor((millis % HOUR) / MINUTE))} m`;
    return `${Math.floor(millis / DAY)} d ${two(Math.floor((millis % DAY) / HOUR))} h`;
}

/** The same in whole seconds, for what still grows. */
export function growing(millis: number): string {
    return millis < MINUTE ? `${Math.floor(Math.max(0, millis) / SECOND)} s` : span(millis);
}

/** How long ago: `now`, `12 s ago`, `5 m ago`, `3 h ago`, `2 d ago`. */
export function ago(at: number, now: number): string {
    const millis = now - at;
    if (millis < 2 * SECOND) return 'now';
    if (millis < MINUTE) return `${Math.floor(millis / SECOND)} s ago`;
    if (millis < HOUR) return `${Math.floor(millis / MINUTE)} m ago`;
    if (millis < DAY) return `${Math.floor(millis / HOUR)} h ago`;
    return `${Math.floor(millis / DAY)} d ago`;
}

/** The time of day here: `09:14:03`. */
export function timeOfDay(at: number): string {
    const date = new Date(at);
    return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** Day and time here, with the zone: `2026-11-30 09:14:03 +01:00`. What is copied and hovered. */
export function absolute(at: number): string {
    const date = new Date(at);
    const minutes = -date.getTimezoneOffset();
    const zone = `${minutes < 0 ? '-' : '+'}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
    return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${timeOfDay(at)} ${zone}`;
}

/** Day and time as short as they are clear: only the time today, `Nov 28 09:14` before. */
export function short(at: number, now: number): string {
    const date = new Date(at);
    if (date.toDateString() === new Date(now).toDateString()) return timeOfDay(at);
    const month = date.toLocaleString('en', { month: 'short' });
    const year = date.getFullYear() === new Date(now).getFullYear() ? '' : `${date.getFullYear()} `;
    return `${year}${month} ${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** A size: `11 B`, `4.2 kB`, `1.3 GB`. */
export function bytes(count: number): string {
    const units = ['B', 'kB', 'MB', 'GB', 'TB'];
    let unit = 0;
    let value = count;
    while (value >= 1_000 && unit < units.length - 1) {
        value /= 1_000;
        unit += 1;
    }
    return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}
