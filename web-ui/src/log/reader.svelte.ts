// One person's reading of one log: where they are, what they chose, looked for and folded away.

import { LogLines, type Stream } from './lines.svelte';
import { LogSearch, type Wanted } from './search.svelte';
import {
    barOf,
    barPixels,
    clamped,
    lastTop,
    reveal,
    Rows,
    shown,
    topOf,
    type Fold,
    type LineRange,
    type Measure,
} from './view';

/** A log of at most this many bytes is searched for errors and steps as soon as it is opened; of a larger one, when asked. */
const LOOKED_AT_BYTES_MAX = 64 * 1024 * 1024;

/** Where the browser keeps whether its person wants to see times. */
const TIMES = 'jackfield.log.times';

/** What `--log-line` of the style sheet says. */
export const ROW_PIXELS = 20;

export class LogReader {
    readonly log: LogLines;
    readonly find: LogSearch;
    readonly errors: LogSearch;
    readonly steps: LogSearch;

    /** The end stays in sight while the log grows. */
    isFollowed = $state(true);
    isWrapped = $state(false);
    /** The line the keys are at; 0 for none. */
    at = $state(0);
    range = $state.raw<LineRange>();
    viewPixels = $state(400);
    #top = $state(0);
    /** How many lines there were when the reader left the end. */
    #left = $state(0);
    /** Headings whose lines are folded away. */
    #folded = $state.raw<ReadonlySet<number>>(new Set());

    readonly rows = $derived.by(() => new Rows(this.log.lines, this.#folds()));
    readonly measure: Measure = $derived({
        rows: this.rows.rows,
        rowPixels: ROW_PIXELS,
        viewPixels: this.viewPixels,
        isWrapped: this.isWrapped,
    });
    /** The row at the top, with a fraction. */
    readonly top = $derived(
        this.isFollowed ? lastTop({ ...this.measure, isWrapped: false }) : clamped(this.#top, this.measure),
    );

    constructor(attempt: string, stream: Stream) {
        this.log = new LogLines(attempt, stream);
        this.log.time(localStorage.getItem(TIMES) === 'shown');
        const search = (): LogSearch => new LogSearch(attempt, stream, () => this.log.lines);
        [this.find, this.errors, this.steps] = [search(), search(), search()];
    }

    /** Shows when lines came, or hides it; in the logs that are opened later as well. */
    turnTimes(): void {
        this.log.time(!this.log.isTimed);
        localStorage.setItem(TIMES, this.log.isTimed ? 'shown' : 'hidden');
    }

    /** Whether there is more than fits. */
    get overflows(): boolean {
        return lastTop({ ...this.measure, isWrapped: false }) > 0;
    }

    close(): void {
        this.log.close();
        for (const search of [this.find, this.errors, this.steps]) search.end();
    }

    /** How many lines came since the reader left the end. */
    get unread(): number {
        return this.isFollowed ? 0 : Math.max(0, this.log.lines - this.#left);
    }

    /** What n and N walk through: what was looked for, or the errors. */
    get walked(): LogSearch {
        return this.find.state === 'off' ? this.errors : this.find;
    }

    get barPixels(): number {
        return barPixels(this.measure);
    }

    get bar(): number {
        return this.isFollowed ? this.barPixels - this.viewPixels : barOf(this.top, this.measure);
    }

    /** The bar was dragged. */
    dragged(bar: number): void {
        this.goTo(topOf(bar, this.measure));
    }

    /** A row is to be at the top. Whoever reaches the end follows it. */
    goTo(top: number): void {
        const end = lastTop({ ...this.measure, isWrapped: false });
        const wasFollowed = this.isFollowed;
        this.isFollowed = top >= end - 0.01;
        if (wasFollowed && !this.isFollowed) this.#left = this.log.lines;
        this.#top = clamped(top, this.measure);
    }

    follow(): void {
        this.isFollowed = true;
    }

    /** Shows a line, and puts the keys there. */
    show(line: number): void {
        this.at = Math.max(1, Math.min(line, this.log.lines));
        const row = this.rows.row(this.at);
        // In wrapped rows nobody knows how many fit: the line itself is put at the top but for two.
        this.goTo(this.isWrapped ? Math.max(0, row - 2) : reveal(row, this.top, this.measure));
        if (this.at < this.log.lines) this.#stay();
    }

    /** A line that somebody asked for does not wander off when the log grows, though it is on the last screen. */
    #stay(): void {
        if (!this.isFollowed) return;
        this.#top = this.top;
        this.#left = this.log.lines;
        this.isFollowed = false;
    }

    /** Moves the keys by rows. */
    step(rows: number, extend: boolean): void {
        const from = this.at === 0 ? this.rows.line(Math.floor(this.top)) : this.at;
        const row = Math.max(0, Math.min(this.rows.rows - 1, this.rows.row(from) + rows));
        const line = this.rows.line(row);
        if (extend) this.extend(line, from);
        this.show(line);
    }

    page(step: 1 | -1): void {
        const rows = shown(this.measure) - 1;
        this.goTo(this.top + step * rows);
        if (this.at > 0) this.step(step * rows, false);
    }

    choose(line: number, extend: boolean): void {
        if (extend && this.at > 0) this.extend(line, this.at);
        else this.range = { first: line, last: line };
        if (!extend || this.at === 0) this.at = line;
        this.#stay();
    }

    /** Chooses from where the choice began to a line. */
    private extend(line: number, from: number): void {
        const { first, last } = this.range ?? { first: from, last: from };
        const anchor = from === first ? last : first;
        this.range = { first: Math.min(anchor, line), last: Math.max(anchor, line) };
    }

    /** The next place that was found. */
    walk(step: 1 | -1): void {
        if (this.walked === this.errors && this.errors.state === 'off') this.errors.begin({ kind: 'errors' });
        const here = this.at > 0 ? this.at : this.rows.line(Math.floor(this.top));
        const next = this.walked.next(here, step);
        if (next !== undefined) this.show(next);
    }

    look(wanted: Wanted): void {
        this.find.begin(wanted);
    }

    /** Looks for errors and steps by itself, where that costs little. */
    lookAround(): void {
        if (this.log.bytes > LOOKED_AT_BYTES_MAX) return;
        if (this.errors.state === 'off') this.errors.begin({ kind: 'errors' });
        if (this.steps.state === 'off') this.steps.begin({ kind: 'steps' });
    }

    /** The log has grown: what was looked for may be in what came. */
    grown(): void {
        for (const search of [this.find, this.errors, this.steps]) search.goOn();
    }

    isHeading(line: number): boolean {
        return this.steps.nth(line) > 0;
    }

    isFolded(line: number): boolean {
        return this.#folded.has(line);
    }

    fold(line: number): void {
        const folded = new Set(this.#folded);
        if (!folded.delete(line)) folded.add(line);
        this.#refold(folded);
    }

    foldAll(isFolded: boolean): void {
        this.#refold(new Set(isFolded ? this.steps.hits : []));
    }

    /** The line at the top stays there. */
    #refold(folded: ReadonlySet<number>): void {
        const line = this.rows.line(Math.floor(this.top));
        this.#folded = folded;
        if (!this.isFollowed) this.#top = Math.max(0, this.rows.row(line));
    }

    #folds(): Fold[] {
        const headings = this.steps.hits;
        return headings.flatMap((line, index) => {
            if (!this.#folded.has(line)) return [];
            return [{ from: line + 1, to: (headings[index + 1] ?? this.log.lines + 1) - 1 }];
        });
    }
}
