// The parts of a pie: their shares, their places on the circle, and their colours.

/** A part as it is drawn. */
export interface Part {
    readonly name: string;
    readonly value: number;
    /** Of the whole, from 0 to 1. */
    readonly share: number;
    /** A colour of the pages. */
    readonly tone: string;
    /** Its outline in a square of 200; none where there is nothing to be seen. */
    readonly path: string | undefined;
    /** Which point of the chart it is; none for the rest of too many. */
    readonly point: number | undefined;
}

/** Parts that have a colour of their own; the smallest of more are one. */
export const PARTS_MAX = 12;
const TONES = ['--work-mark', '--warn-mark', '--pass-mark', '--fail-mark', '--idle-mark', '--link'];
const VERDICTS: Record<string, string> = {
    PASS: '--pass-mark',
    PASSED: '--pass-mark',
    FAIL: '--fail-mark',
    FAILED: '--fail-mark',
    TIMEOUT: '--warn-mark',
    ABORTED: '--warn-mark',
    SKIPPED: '--idle-mark',
    'NO EXEC': '--idle-mark',
    NOT_EXECUTED: '--idle-mark',
};

/** The parts of a pie, in the order of the chart, or from the largest where there are too many. */
export function partsOf(labels: readonly string[], values: readonly (number | null)[]): Part[] {
    const named = labels.map((name, point) => ({ name, value: values[point] ?? 0, point }));
    const drawn: { name: string; value: number; point: number | undefined }[] = named;
    if (named.length > PARTS_MAX) {
        drawn.sort((one, other) => other.value - one.value);
        const rest = drawn.splice(PARTS_MAX - 1);
        drawn.push({
            name: `${rest.length} others`,
            value: rest.reduce((sum, { value }) => sum + value, 0),
            point: undefined,
        });
    }
    const whole = drawn.reduce((sum, { value }) => sum + value, 0);
    let turn = 0;
    return drawn.map(({ name, value, point }, nth) => {
        const share = whole > 0 ? value / whole : 0;
        const path = share > 0 ? slice(turn, share) : undefined;
        turn += share;
        const tone = VERDICTS[name.trim().toUpperCase()] ?? TONES[nth % TONES.length] ?? '--work-mark';
        return { name, value, share, tone, path, point };
    });
}

/** A part of the circle, from the top to the right; a whole one has no corners. */
function slice(turn: number, share: number): string {
    const onRim = (at: number): string =>
        `${(100 + 96 * Math.sin(at * 2 * Math.PI)).toFixed(2)} ${(100 - 96 * Math.cos(at * 2 * Math.PI)).toFixed(2)}`;
    if (share > 0.9999) return 'M100 4A96 96 0 1 1 100 196A96 96 0 1 1 100 4Z';
    return `M100 100L${onRim(turn)}A96 96 0 ${share > 0.5 ? 1 : 0} 1 ${onRim(turn + share)}Z`;
}
