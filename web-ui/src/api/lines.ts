// Pages at a switchboard that is in another thread: what they say to it, what it says to them, and what becomes of pages
// that are gone. No page can be trusted to say goodbye: one that has said nothing for a while is taken for gone, and is told
// so when it speaks after all.

import { Switchboard, type Told } from './switchboard';

export type FromPage =
    /** Follow a topic for this person. */
    | { kind: 'follow'; line: number; who: string; topic: string; after: string }
    | { kind: 'end'; line: number }
    | { kind: 'hurry' }
    /** The page is there. */
    | { kind: 'alive' }
    | { kind: 'bye' };

export type ToPage =
    | { kind: 'told'; line: number; told: Told }
    /** The lines of this page were cut: it was not heard. */
    | { kind: 'cut' };

/** Silence after which a page is gone; browsers let pages that nobody sees speak once a minute. */
const SILENCE_MILLIS = 150_000;

export class Lines {
    /** Who signs in as another sees what that one may see: nothing is shared between persons. */
    readonly #boards = new Map<string, Switchboard>();
    readonly #pages = new Set<Page>();

    constructor(
        readonly board: () => Switchboard = () => new Switchboard(),
        readonly now: () => number = Date.now,
    ) {}

    /** A page that has come. */
    page(tell: (told: ToPage) => void): Page {
        const page = new Page(this, tell);
        this.#pages.add(page);
        return page;
    }

    /** Cuts the lines of pages that are not heard any more. */
    sweep(): void {
        for (const page of this.#pages) if (this.now() - page.heard > SILENCE_MILLIS) page.cut();
    }

    boardOf(who: string): Switchboard {
        const board = this.#boards.get(who) ?? this.board();
        this.#boards.set(who, board);
        return board;
    }

    hurry(): void {
        for (const board of this.#boards.values()) board.hurry();
    }
}

export class Page {
    heard: number;
    #isCut = false;
    readonly #ends = new Map<number, () => void>();

    constructor(
        readonly lines: Lines,
        readonly tell: (told: ToPage) => void,
    ) {
        this.heard = lines.now();
    }

    hear(said: FromPage): void {
        this.heard = this.lines.now();
        if (this.#isCut) {
            this.#isCut = false;
            this.tell({ kind: 'cut' });
        }
        switch (said.kind) {
            case 'follow': {
                const { line, who, topic, after } = said;
                const board = this.lines.boardOf(who);
                this.#ends.get(line)?.();
                this.#ends.set(
                    line,
                    board.follow(topic, after, (told) => this.tell({ kind: 'told', line, told })),
                );
                break;
            }
            case 'end':
                this.#ends.get(said.line)?.();
                this.#ends.delete(said.line);
                break;
            case 'hurry':
                this.lines.hurry();
                break;
            case 'alive':
                break;
            case 'bye':
                this.#end();
                break;
        }
    }

    /** Ends all that it follows. */
    cut(): void {
        if (this.#ends.size > 0) this.#isCut = true;
        this.#end();
    }

    #end(): void {
        for (const end of this.#ends.values()) end();
        this.#ends.clear();
    }
}
