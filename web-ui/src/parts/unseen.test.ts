import { expect, it } from 'vitest';

import { pictured, shown } from './unseen';

it('shows every character of a name as what it is', () => {
    expect(shown('router1')).toBe('router1');
    expect(shown('a\u202eb\u0000c\nd\te\u200bf')).toBe('a<U+202E>b␀c␊d␉e<U+200B>f');
    expect(shown('<script>')).toBe('<script>');
    expect(pictured('\u001b')).toBe('␛');
});
