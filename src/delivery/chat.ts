import type { Run } from './plain-text.ts';
import type { Story } from './story.ts';

/** Most characters that Slack accepts in a section's text. */
const MAX_SECTION = 3000;

/** `blocks`: Slack's Block Kit. `text`: a single text with a link in Slack's syntax, which other chats understand, too. */
export type ChatFormat = 'blocks' | 'text';

/** The message to post, as JSON. */
export function chatMessage(story: Story, format: ChatFormat): object {
  const { title, correction, paragraph, link, source } = story;
  const plain = paragraph.map(({ text }) => chatText(text)).join('');
  const parts = [chatText(title), ...(correction === undefined ? [] : [chatText(correction)]), plain];
  const open = link === undefined ? [] : [`<${chatText(link, true)}|Open the report>`];
  if (format === 'text') return { text: [...parts, ...open, chatText(source)].map(short).join('\n\n') };
  return {
    // For notifications, and for clients without blocks.
    text: [...parts, ...open].map(short).join('\n\n'),
    blocks: [
      section(`*${short(chatText(title))}*`),
      ...(correction === undefined ? [] : [section(short(chatText(correction)))]),
      section(short(paragraph.map(bold).join(''))),
      ...open.map(section),
      { type: 'context', elements: [{ type: 'mrkdwn', text: short(chatText(source)), verbatim: true }] },
    ],
  };
}

function section(text: string): object {
  // Verbatim, so that names beginning with @ or # do not become mentions.
  return { type: 'section', text: { type: 'mrkdwn', text, verbatim: true } };
}

function bold({ text, bold: is }: Run): string {
  const safe = chatText(text);
  return is ? `*${safe}*` : safe;
}

/** An invisible character that breaks up mentions and links. */
const UNSEEN = '\u200b';

/** Lookalikes for characters with a meaning in Slack's mrkdwn and in Markdown. */
const ALIKE: Readonly<Record<string, string>> = { '*': '∗', '~': '∼', '`': 'ˋ', '\\': '＼', '[': '［', ']': '］' };

/**
 * Text that no chat takes for markup, a mention or a link: names and values come from data.
 *
 * @param address whether it is our own link, in which only Slack's `&`, `<` and `>` are replaced
 */
function chatText(text: string, address = false): string {
  const safe = address
    ? text
    : text
        .replaceAll(/[*~`\\[\]]/g, (mark) => ALIKE[mark] ?? mark)
        .replaceAll(/(?<!\w)_|_(?!\w)/g, '＿')
        .replaceAll('@', `@${UNSEEN}`)
        .replaceAll('://', `:${UNSEEN}//`);
  return safe.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Truncates with …, but never inside an entity. */
function short(text: string): string {
  return text.length <= MAX_SECTION - 2 ? text : `${text.slice(0, MAX_SECTION - 10).replace(/&\w*$/, '')}…`;
}
