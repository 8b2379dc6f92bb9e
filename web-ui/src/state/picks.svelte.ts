// Which rows of a list somebody has chosen, to do one thing to all of them: by a click each, or by Shift as far as another.

export class Picks {
    #names = $state.raw<ReadonlySet<string>>(new Set());
    /** Where a range begins: the last that was turned. */
    #from: string | undefined;

    get size(): number {
        return this.#names.size;
    }

    has(name: string): boolean {
        return this.#names.has(name);
    }

    /** Chooses a row, or does not; with Shift, all from the one before to it become as it does. */
    turn(name: string, rows: readonly string[], isRange: boolean): void {
        const chosen = !this.#names.has(name);
        const [from, to] = [rows.indexOf(this.#from ?? name), rows.indexOf(name)];
        const between =
            isRange && from >= 0 ? rows.slice(Math.min(from, to), Math.max(from, to) + 1) : [name];
        const names = new Set(this.#names);
        for (const each of between) {
            if (chosen) names.add(each);
            else names.delete(each);
        }
        this.#names = names;
        this.#from = name;
    }

    /** Chooses exactly these. */
    all(names: readonly string[]): void {
        this.#names = new Set(names);
        this.#from = undefined;
    }
}
