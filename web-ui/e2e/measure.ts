// A figure for `cargo xtask bench gui`: one JSON object a line, in the file that JACKFIELD_MEASURES names.

import { appendFileSync } from 'node:fs';

export interface Figure {
    readonly name: string;
    readonly value: number;
    readonly unit: string;
    /** What we want, in words. */
    readonly goal: string;
    /** Whether we have it; none where the figure is for the reader. */
    readonly holds?: boolean;
}

export function record(figure: Figure): void {
    const file = process.env['JACKFIELD_MEASURES'];
    const line = JSON.stringify({ ...figure, value: Math.round(figure.value * 100) / 100 });
    if (file === undefined) console.log(line);
    else appendFileSync(file, `${line}\n`);
}

export function median(values: readonly number[]): number {
    const sorted = [...values].sort((one, other) => one - other);
    return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
