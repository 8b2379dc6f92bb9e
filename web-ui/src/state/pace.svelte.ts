// Something that is done again when it is asked for, at most so often: at once where it was not done for long, later where it was.

export class Pace {
    /** Grows each time it is to be done. */
    count = $state(0);
    #last = Number.NEGATIVE_INFINITY;
    #timer: ReturnType<typeof setTimeout> | undefined;

    constructor(
        readonly millis: number,
        readonly now: () => number = () => performance.now(),
    ) {}

    ask(): void {
        if (this.#timer !== undefined) return;
        const wait = this.#last + this.millis - this.now();
        if (wait <= 0) this.#act();
        else this.#timer = setTimeout(() => this.#act(), wait);
    }

    stop(): void {
        clearTimeout(this.#timer);
        this.#timer = undefined;
    }

    #act(): void {
        this.#timer = undefined;
        this.#last = this.now();
        this.count += 1;
    }
}
