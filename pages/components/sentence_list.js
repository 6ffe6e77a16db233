// The entry of sentence_list.py; sentence_rows.js comes before this file.

export default function (component) {
  return mount(component, "sentence-list", (root) => new SentenceList(root));
}
