// A recording that is played: where one is in it, how fast it goes, and the marks to go to. What it shows is asked of `recorded`.

import { problemOf, type Problem } from '../api/problem';
import { Pace, readCast, type Cast } from './cast';

export class Player {
    cast = $state.raw<Cast>();
    problem = $state.raw<Problem>();
    /** In seconds of playing. */
    at = $state(0);
    isPlaying = $state(false);
    speed = $state(1);
    /** Long silence is played short. */
    isShort = $state(true);

    readonly pace = $derived(
        this.cast && new Pace(this.cast.events, this.isShort ? undefined : Number.POSITIVE_INFINITY),
    );
    readonly marks = $derived(this.cast?.events.filter((event) => event.kind === 'mark') ?? []);
    /** Whether what was typed is in it. */
    readonly hasInput = $derived(this.cast?.events.some((event) => event.kind === 'input') ?? false);
    /** Where one is in seconds of the session itself. */
    readonly recorded = $derived(this.pace?.toRecorded(this.at) ?? 0);

    #loading: AbortController | undefined;

    /** Fetches a recording, instead of the one before. Answers how to give up whatever is fetched then. */
    load(address: string): () => void {
        this.#loading?.abort();
        this.#loading = new AbortController();
        this.cast = undefined;
        this.problem = undefined;
        void this.#fetch(address, this.#loading.signal);
        return () => this.#loading?.abort();
    }

    async #fetch(address: string, signal: AbortSignal): Promise<void> {
        try {
            const answer = await fetch(address, { signal });
            if (!answer.ok) throw new Error(`the recording is not there (${answer.status})`);
            const cast = readCast(await answer.text());
            // The end of a session is what one mostly wants to see; from there one goes back.
            this.at = new Pace(cast.events).length;
            this.cast = cast;
        } catch (thrown) {
            if (!signal.aborted) this.problem = problemOf(thrown);
        }
    }

    /** Goes on until the end, a frame at a time. Answers how to stop. */
    run(): () => void {
        let last = performance.now();
        const next = (now: number): void => {
            const length = this.pace?.length ?? 0;
            this.at = Math.min(length, this.at + ((now - last) / 1_000) * this.speed);
            last = now;
            if (this.at >= length) this.isPlaying = false;
            else frame = requestAnimationFrame(next);
        };
        let frame = requestAnimationFrame(next);
        return () => cancelAnimationFrame(frame);
    }

    /** Plays, from the beginning where it is at its end; or pauses. */
    turn(): void {
        if (this.pace !== undefined && !this.isPlaying && this.at >= this.pace.length) this.at = 0;
        this.isPlaying = !this.isPlaying;
    }

    go(seconds: number): void {
        this.at = Math.max(0, Math.min(this.pace?.length ?? 0, seconds));
    }

    goToMark(step: 1 | -1): void {
        const here = this.recorded;
        const next =
            step === 1
                ? this.marks.find((mark) => mark.at > here + 0.01)
                : this.marks.findLast((mark) => mark.at < here - 0.01);
        if (next !== undefined && this.pace !== undefined) this.go(this.pace.toPlayed(next.at));
    }

    /** Silence short or as long as it was, at the same place of the session. */
    shorten(isShort: boolean): void {
        const here = this.recorded;
        this.isShort = isShort;
        this.go(this.pace?.toPlayed(here) ?? 0);
    }
}
