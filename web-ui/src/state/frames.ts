// What comes often is drawn once a frame: a thousand events a second are at most sixty redraws.

/** After this without a frame, what came is handed over anyway. */
const FRAMELESS_MILLIS = 250;

/** Collects what comes, and hands all of it over in the next frame. A hidden page, which has no frames, gets it too. */
export function eachFrame<T>(act: (items: T[]) => void): (items: readonly T[]) => void {
    let waiting: T[] = [];
    let asked = false;
    const hand = () => {
        asked = false;
        const items = waiting;
        waiting = [];
        act(items);
    };
    return (items) => {
        waiting.push(...items);
        if (asked) return;
        asked = true;
        // A page that nobody sees has no frames, whether it says that it is hidden or not.
        const late = setTimeout(hand, FRAMELESS_MILLIS);
        requestAnimationFrame(() => {
            clearTimeout(late);
            if (asked) hand();
        });
    };
}
