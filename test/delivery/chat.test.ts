import { expect, it } from 'vitest';
import { chatMessage } from '../../src/delivery/chat.ts';
import { runsOfText } from '../../src/delivery/plain-text.ts';
import type { Story } from '../../src/delivery/story.ts';
import { html } from '../../src/page/html.ts';

const HOSTILE = '<!channel> @here [click](https://evil.example/?a=1&b=2) *bold* _x_ a_b ~s~ `c` <https://evil.example|ok>';

function story(value: string, more: Partial<Story> = {}): Story {
  return {
    ...{ job: 'a_b_', window: '2026-W11', title: `a_b_ 2026-W11: ${value}`, correction: undefined, link: undefined },
    paragraph: runsOfText(html`<p class="lede">In it <b>1,234</b> of <bdi>${value}</bdi>. </p>\n`.html),
    ...{ source: 'Publication 1.', publication: 1, runId: 'r1', told: [] },
    ...more,
  };
}

it('shows names and values as they are, but lets none be a mention, a link or markup', () => {
  const { text, blocks } = chatMessage(story(HOSTILE), 'blocks') as {
    text: string;
    blocks: { text: { type: string; text: string; verbatim: boolean } }[];
  };
  const paragraph = blocks[1]?.text;
  expect(paragraph).toMatchObject({ type: 'mrkdwn', verbatim: true });
  expect(paragraph?.text).toBe(
    'In it *1,234* of &lt;!channel&gt; @\u200bhere ［click］(https:\u200b//evil.example/?a=1&amp;b=2) ∗bold∗ ＿x＿ a_b ∼s∼ ˋcˋ &lt;https:\u200b//evil.example|ok&gt;.',
  );
  for (const one of [text, paragraph?.text ?? '']) {
    expect(one).not.toMatch(/<|>|@(?!\u200b)|:\/\/|\]\(/);
  }
  // The name of a job may end with what is markup elsewhere.
  expect(text).toContain('a_b＿ 2026-W11');
});

it('has only a text for others than Slack, with our own link, and says first what a correction is about', () => {
  const link = 'https://reports.example.com/a-2026-W11.html?x=1&y=2';
  const message = chatMessage(story('US', { link, correction: '2026-W11 was rolled back.' }), 'text');
  expect(message).toEqual({
    text: [
      'a_b＿ 2026-W11: US',
      '2026-W11 was rolled back.',
      'In it 1,234 of US.',
      '<https://reports.example.com/a-2026-W11.html?x=1&amp;y=2|Open the report>',
      'Publication 1.',
    ].join('\n\n'),
  });
});

it('stays within what Slack takes in a section, and cuts no entity in two', () => {
  const { blocks } = chatMessage(story('&'.repeat(5000)), 'blocks') as { blocks: { text?: { text: string } }[] };
  for (const { text } of blocks) expect(text?.text.length ?? 0).toBeLessThanOrEqual(3000);
  expect(blocks[1]?.text?.text).toMatch(/&amp;…$/);
});
