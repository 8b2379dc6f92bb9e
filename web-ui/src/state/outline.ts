// The columns in which the engine sends a run's tests, as tests.

import type { Schemas } from '../api/client';
import { plain } from '../log/ansi';
import type { Test } from './tests';

/** A reason as a test gave it, without the colours that it has for a terminal. */
export function readable(reason: string): string {
    return reason.includes('\u001b') ? plain(reason) : reason;
}

export class Columns {
    constructor(readonly outline: Schemas['Outline']) {}

    get length(): number {
        return this.outline.state.length;
    }

    test(index: number): Test {
        const { outline } = this;
        return {
            test: outline.test?.[index] ?? outline.first + index,
            name: this.#word(outline.name[index]) ?? '',
            file: this.#word(outline.file[index]) ?? '',
            suite: outline.suite[index] ?? 0,
            state: outline.state[index] ?? 'PENDING',
            attempt: outline.attempt[index] ?? 0,
            ep: this.#word(outline.ep[index]),
            started: outline.started[index] ?? undefined,
            elapsed: outline.elapsed[index] ?? 0,
            cause: outline.cause[index] ?? undefined,
            reason: readable(this.#word(outline.reason[index]) ?? ''),
        };
    }

    #word(place: number | null | undefined): string | undefined {
        return typeof place === 'number' ? this.outline.words[place] : undefined;
    }
}
