// Moments and lengths of time as a timeline writes them: short, and in the reader's own zone.

/** 14:03:09, and with tenths where the scale asks for them. */
export function clock(at: number): string {
    const date = new Date(at);
    const two = (value: number): string => String(value).padStart(2, '0');
    const text = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
    const millis = Math.round(at) % 1_000;
    return millis === 0 ? text : `${text}.${Math.floor(millis / 100)}`;
}

/** 350 ms, 4.2 s, 3 min 20 s, 7 h 5 min, 2 d 3 h. */
export function spoken(millis: number): string {
    const whole = Math.max(0, Math.round(millis));
    if (whole < 1_000) return `${whole} ms`;
    const seconds = whole / 1_000;
    if (seconds < 10) return `${seconds.toFixed(1)} s`;
    if (seconds < 60) return `${Math.floor(seconds)} s`;
    return (
        pair(seconds, 3_600, 'min', 60, 's', 1) ??
        pair(seconds, 86_400, 'h', 3_600, 'min', 60) ??
        pair(seconds, Number.POSITIVE_INFINITY, 'd', 86_400, 'h', 3_600) ??
        ''
    );
}

function pair(
    seconds: number,
    below: number,
    large: string,
    perLarge: number,
    small: string,
    perSmall: number,
): string | undefined {
    if (seconds >= below) return undefined;
    const first = Math.floor(seconds / perLarge);
    const second = Math.floor((seconds - first * perLarge) / perSmall);
    return second === 0 ? `${first} ${large}` : `${first} ${large} ${second} ${small}`;
}
