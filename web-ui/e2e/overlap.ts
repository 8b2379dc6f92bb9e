// Whether anything that one can click lies under something else: what is looked for in every state of every page.

import type { Page } from 'playwright-core';

/** Controls whose middle belongs to another thing. */
export function overlaps(page: Page): Promise<string[]> {
    return page.evaluate(() => {
        const found: string[] = [];
        const name = (element: Element): string =>
            `${element.tagName.toLowerCase()}.${element.className.toString().slice(0, 40)} “${(element.textContent ?? '').trim().slice(0, 40)}”`;
        /** The part of a control that can be seen in what scrolls around it. */
        const seen = (element: Element): DOMRect | undefined => {
            const box = element.getBoundingClientRect();
            let [left, top, right, bottom] = [
                Math.max(box.left, 0),
                Math.max(box.top, 0),
                Math.min(box.right, innerWidth),
                Math.min(box.bottom, innerHeight),
            ];
            for (let at = element.parentElement; at !== null; at = at.parentElement) {
                const { overflowX, overflowY } = getComputedStyle(at);
                if (overflowX === 'visible' && overflowY === 'visible') continue;
                const edge = at.getBoundingClientRect();
                [left, top] = [Math.max(left, edge.left), Math.max(top, edge.top)];
                [right, bottom] = [Math.min(right, edge.right), Math.min(bottom, edge.bottom)];
            }
            return right - left < 4 || bottom - top < 4
                ? undefined
                : new DOMRect(left, top, right - left, bottom - top);
        };
        for (const element of document.querySelectorAll<HTMLElement>(
            'a, button, input, select, textarea, summary',
        )) {
            const style = getComputedStyle(element);
            if (style.visibility === 'hidden' || style.pointerEvents === 'none') continue;
            if (element.closest('.heard, .skip, .told, .xterm, details:not([open]) > :not(summary)') !== null)
                continue;
            // A link that wraps has its middle between its lines.
            if (style.display === 'inline' && element.getClientRects().length > 1) continue;
            const box = seen(element);
            if (box === undefined) continue;
            const at = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
            if (at === null || element.contains(at) || at.contains(element)) continue;
            if (at.closest('label')?.contains(element) === true) continue;
            // A head that stays above what scrolls under it is meant.
            if (
                ['sticky', 'fixed'].includes(
                    getComputedStyle(at.closest('th, thead, [class*=head]') ?? at).position,
                )
            )
                continue;
            found.push(`${name(element)} lies under ${name(at)}`);
        }
        return [...new Set(found)].slice(0, 10);
    });
}
