// The time as the engine has it: what is running grows by its clock, not by that of the browser's machine.

class Clock {
    /** The engine's time, to the second, for what is drawn. */
    now = $state(Date.now());
    #ahead = 0;

    constructor() {
        setInterval(() => {
            if (!document.hidden) this.now = this.exact();
        }, 1_000);
        document.addEventListener('visibilitychange', () => (this.now = this.exact()));
    }

    /** The engine says what time it is. */
    set(engine: string): void {
        this.#ahead = Date.parse(engine) - Date.now();
        this.now = this.exact();
    }

    /** The engine's time now. */
    exact(): number {
        return Date.now() + this.#ahead;
    }
}

export const clock = new Clock();
