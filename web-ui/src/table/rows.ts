// Rows that a table shows: an array, or something that finds each row when it is asked for.

export interface Rows<T> {
    readonly length: number;
    /** The row at a place, counted from 0. */
    at(place: number): T | undefined;
    slice(from?: number, to?: number): readonly T[];
    findIndex(fits: (row: T) => boolean): number;
    /** Where the row of an id stands, if that is known without looking through all; -1 where there is none. */
    placeOf?(id: string): number;
}

/** Rows of which only those that are asked for are made. */
export class FoundRows<T> implements Rows<T> {
    constructor(
        readonly length: number,
        private readonly find: (place: number) => T | undefined,
        readonly placeOf?: (id: string) => number,
    ) {}

    at(place: number): T | undefined {
        return place < 0 || place >= this.length ? undefined : this.find(place);
    }

    slice(from = 0, to = this.length): readonly T[] {
        const rows: T[] = [];
        for (let place = Math.max(0, from); place < Math.min(this.length, to); place += 1) {
            const row = this.find(place);
            if (row !== undefined) rows.push(row);
        }
        return rows;
    }

    findIndex(fits: (row: T) => boolean): number {
        for (let place = 0; place < this.length; place += 1) {
            const row = this.find(place);
            if (row !== undefined && fits(row)) return place;
        }
        return -1;
    }
}
