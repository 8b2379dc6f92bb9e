// Whether the order of a list has to stay: while somebody points at it, walks in it or has scrolled, a row that moves is one that is opened
// by mistake. Who only looks at its beginning sees it in order.

/** After the last move of the pointer and the last key. */
const ACTIVE_MILLIS = 3_000;
/** Scrolled by less than this, one looks at the beginning. */
const TOP_PIXELS = 40;

export class Steady {
    #isScrolled = $state(false);
    #isActive = $state(false);
    #element: HTMLElement | undefined;
    #timer: ReturnType<typeof setTimeout> | undefined;

    get isHeld(): boolean {
        return this.#isScrolled || this.#isActive;
    }

    /** For the element that scrolls. */
    readonly attach = (element: HTMLElement): (() => void) => {
        this.#element = element;
        const options = { passive: true };
        element.addEventListener('scroll', this.#look, options);
        element.addEventListener('pointermove', this.stir, options);
        element.addEventListener('keydown', this.stir, options);
        return () => {
            element.removeEventListener('scroll', this.#look);
            element.removeEventListener('pointermove', this.stir);
            element.removeEventListener('keydown', this.stir);
            this.#rest();
            this.#element = undefined;
            this.#isScrolled = false;
        };
    };

    /** Lets it be put in order: one looks at the beginning again. */
    release(): void {
        this.#rest();
        this.#element?.scrollTo({ top: 0 });
    }

    readonly #look = (): void => {
        this.#isScrolled = (this.#element?.scrollTop ?? 0) > TOP_PIXELS;
    };

    /** Somebody is in the list, or on their way to what belongs to it. */
    readonly stir = (): void => {
        this.#isActive = true;
        clearTimeout(this.#timer);
        this.#timer = setTimeout(this.#rest, ACTIVE_MILLIS);
    };

    readonly #rest = (): void => {
        clearTimeout(this.#timer);
        this.#isActive = false;
    };
}
