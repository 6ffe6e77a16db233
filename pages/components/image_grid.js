// The entry of image_grid.py; picture_grid.js comes before this file.

export default function (component) {
  return mount(component, "image-grid", (root) => new ImageGrid(root));
}
