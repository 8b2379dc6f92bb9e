// Whether everything on a page can be read and reached, whatever things are called: what is looked for where names are hostile and screens small.

import type { Page } from 'playwright-core';

/**
 * What is cut off and can be had in no way: words that end in `…` and have no title, things beyond the edge of what scrolls. What is drawn for
 * those who listen alone is left out.
 */
export function cutOff(page: Page): Promise<string[]> {
    return page.evaluate(() => {
        const found: string[] = [];
        const name = (element: Element): string =>
            `${element.tagName.toLowerCase()}.${element.className.toString().slice(0, 40)} “${(element.textContent ?? '').trim().slice(0, 40)}”`;
        const scrolls = (element: Element | null): boolean => {
            for (let at = element; at !== null; at = at.parentElement) {
                const { overflowX } = getComputedStyle(at);
                if (overflowX === 'auto' || overflowX === 'scroll') return true;
            }
            return false;
        };
        for (const element of document.querySelectorAll<HTMLElement>('body *')) {
            const style = getComputedStyle(element);
            const box = element.getBoundingClientRect();
            if (box.width === 0 || box.height === 0 || style.visibility === 'hidden') continue;
            // The way to the content shows when it has the focus.
            if (element.closest('.heard, .skip, svg, canvas, .xterm') !== null) continue;
            const isControl = element.matches('a, button, input, select, textarea, summary');
            if (isControl && (box.right > innerWidth + 1 || box.left < -1) && !scrolls(element.parentElement))
                found.push(`beyond the edge: ${name(element)}`);
            const hides = style.overflowX === 'hidden' || style.overflowX === 'clip';
            const isCut = hides && element.scrollWidth > element.clientWidth + 1;
            if (
                isCut &&
                (element.textContent ?? '').trim() !== '' &&
                element.closest('[title]') === null &&
                element.querySelector('[title]') === null
            )
                found.push(`cut without a title: ${name(element)}`);
        }
        return [...new Set(found)].slice(0, 10);
    });
}
