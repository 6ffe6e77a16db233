// What an answer marks on its maps: the answer and the maps are two components, so that a click sends the answer and
// not tens of thousands of points again. Both are modules of one page, which meet here.

const MARKS_TOLD = "bnvae-map-marks";

/** The marks told last for each map, by its key; a map that is made later finds them here. */
const allMarks = (globalThis.bnvaeMapMarks ??= new Map());

/** marks: for each panel {linked: examples, layers, words}. */
function tellMarks(map, marks) {
  allMarks.set(map, marks);
  document.dispatchEvent(new CustomEvent(MARKS_TOLD, { detail: map }));
}
