/** The keys of the chat; all of them stand in the palette too. */

import { copyText } from "../core/clipboard.js";
import { t } from "../core/i18n.js";
import { register } from "../core/shortcuts.js";

/** @param {any} chat the element of the page: conversation, composer, header, scroller */
export function chatKeys(chat) {
  const { conversation, composer, header, scroller } = chat;
  const group = t("Conversation");
  const last = () => conversation.views.findLast((view) => view.turn.output_text);
  const begun = () => conversation.views.length > 0;
  const idle = () => begun() && !conversation.busy;
  const commands = [
    { id: "chat.focus", title: t("Write a question"), keys: "/", icon: "pencil", run: () => composer.focus() },
    {
      id: "chat.copy",
      title: t("Copy the last answer"),
      keys: "c",
      icon: "copy",
      when: () => Boolean(last()),
      run: () => copyText(last().turn.output_text),
    },
    {
      id: "chat.regenerate",
      title: t("Answer again"),
      keys: "r",
      icon: "refresh-cw",
      when: idle,
      run: () => conversation.regenerate(conversation.views.at(-1)),
    },
    {
      id: "chat.edit",
      title: t("Change the last question"),
      keys: "e",
      icon: "pencil-line",
      when: idle,
      run: () => conversation.views.at(-1).edit(),
    },
    {
      id: "chat.stop",
      title: t("Stop the answer"),
      keys: "Escape",
      icon: "circle-stop",
      when: () => conversation.busy,
      run: () => conversation.stop(),
    },
    {
      id: "chat.up",
      title: t("To the question before"),
      keys: "alt+ArrowUp",
      icon: "arrow-up",
      when: begun,
      run: () => move(-1),
    },
    {
      id: "chat.down",
      title: t("To the next question"),
      keys: "alt+ArrowDown",
      icon: "arrow-down",
      when: begun,
      run: () => move(1),
    },
    {
      id: "chat.end",
      title: t("Go to the end"),
      icon: "arrow-down",
      when: begun,
      run: () => scroller.toEnd({ smooth: true }),
    },
    { id: "chat.attach", title: t("Attach documents"), icon: "paperclip", run: () => composer.files.click() },
    { id: "chat.rename", title: t("Rename the conversation"), icon: "pencil", when: begun, run: () => header.rename() },
    { id: "chat.share", title: t("Share this conversation"), icon: "share-2", when: begun, run: () => header.share() },
    {
      id: "chat.trace",
      title: t("How the last answer was made"),
      icon: "list-checks",
      when: () => Boolean(last()),
      run: () => conversation.owner.onTrace(last()),
    },
  ];
  for (const command of commands) register({ group, ...command });

  function move(step) {
    const { views } = conversation;
    const top = scroller.area.getBoundingClientRect().top + 24;
    const now = views.findIndex((view) => view.element.contains(document.activeElement));
    const shown = now >= 0 ? now : views.findIndex((view) => view.element.getBoundingClientRect().bottom > top);
    const start = now < 0 && step > 0 ? shown - 1 : shown;
    const view = views[Math.max(0, Math.min(views.length - 1, start + step))];
    if (!view) return;
    scroller.hold();
    view.unfold();
    view.element.focus({ preventScroll: true });
    view.element.scrollIntoView({ block: "start" });
  }
}
