// Which rows are seen. Rows have one height, so a row's place is a product and nothing has to be measured or remembered: a
// list of a million costs what a list of fifty does.

/** Rows drawn beyond each edge, so that a flick of the wheel shows no gap before the next frame. */
const BEYOND = 8;
/** No browser draws an element that is higher; what lies beyond is reached by filters and sorting. */
const PIXELS_MAX = 16_000_000;

export class RowWindow {
    #top = $state(0);
    #height = $state(0);
    #element: HTMLElement | undefined;

    constructor(
        /** Pixels of a row. */
        readonly rowPixels: number,
        /** Pixels at the top of the view that a sticky head covers. */
        readonly headPixels: number,
        private readonly count: () => number,
    ) {}

    /** For the element that scrolls: `{@attach rows.attach}`. */
    readonly attach = (element: HTMLElement): (() => void) => {
        this.#element = element;
        const look = (): void => {
            this.#top = element.scrollTop;
            this.#height = element.clientHeight;
        };
        const sizes = new ResizeObserver(look);
        sizes.observe(element);
        element.addEventListener('scroll', look, { passive: true });
        look();
        return () => {
            sizes.disconnect();
            element.removeEventListener('scroll', look);
            this.#element = undefined;
        };
    };

    /** How many pixels all rows take. */
    get pixels(): number {
        return Math.min(PIXELS_MAX, this.count() * this.rowPixels);
    }

    /** The first row that is drawn. */
    get first(): number {
        return Math.max(0, Math.floor(this.#top / this.rowPixels) - BEYOND);
    }

    /** The row after the last one that is drawn. */
    get end(): number {
        const seen = Math.ceil((this.#top + this.#height) / this.rowPixels);
        return Math.min(this.count(), seen + BEYOND);
    }

    /** How many rows fit, for Page Up and Page Down. */
    get page(): number {
        return Math.max(1, Math.floor((this.#height - this.headPixels) / this.rowPixels) - 1);
    }

    /** Scrolls no further than it takes to see a row. */
    reveal(row: number): void {
        const element = this.#element;
        if (element === undefined) return;
        const top = row * this.rowPixels;
        const room = element.clientHeight - this.headPixels;
        if (top < element.scrollTop) element.scrollTop = top;
        else if (top + this.rowPixels > element.scrollTop + room)
            element.scrollTop = top + this.rowPixels - room;
        this.#top = element.scrollTop;
    }
}
