// Where the pictures lie: in the rows and columns that make equal tiles of one shape as large as they can be.

export const WIDE = 16 / 9;

// `count` tiles in a box of `width` × `height`, `gap` apart; `ratio` is a tile's width by its height. Returns a tile's
// `width` and `height`, and the corner {x, y} of each in reading order, all in whole px. Every row is centred. Of two
// arrangements with equal tiles the one with fewer columns is taken, whose rows are more alike.
export function arrange(count, { width, height }, gap, ratio = WIDE) {
  let best = { columns: 1, rows: count, width: 0 };
  for (let columns = 1; columns <= count; columns++) {
    const rows = Math.ceil(count / columns);
    const byWidth = (width - gap * (columns - 1)) / columns;
    const byHeight = ((height - gap * (rows - 1)) / rows) * ratio;
    if (Math.min(byWidth, byHeight) > best.width) best = { columns, rows, width: Math.min(byWidth, byHeight) };
  }
  const tile = { width: Math.floor(best.width), height: Math.floor(best.width / ratio) };
  const corners = [];
  for (let row = 0; row < best.rows; row++) {
    const inRow = Math.min(best.columns, count - row * best.columns);
    const left = middle(width, inRow, tile.width, gap);
    const y = middle(height, best.rows, tile.height, gap) + row * (tile.height + gap);
    for (let column = 0; column < inRow; column++) corners.push({ x: left + column * (tile.width + gap), y });
  }
  return { ...tile, corners };
}

// The box of one large picture, `large`, and as above the equal tiles of `count` others, in a strip beside or below it:
// where that leaves more for a picture of the usual shape.
export function spotlight(count, { width, height }, gap) {
  const large = { x: 0, y: 0, width, height };
  if (!count) return { large, width: 0, height: 0, corners: [] };
  const beside = { width: between(96, width / 5, 320), height };
  const below = { width, height: usedHeight(arrange(count, { width, height: between(72, height / 4, 180) }, gap), gap) };
  const [byWidth, byHeight] = [width - beside.width - gap, height - below.height - gap];
  const sideways = Math.min(byWidth, height * WIDE) >= Math.min(width, byHeight * WIDE);
  const strip = arrange(count, sideways ? beside : below, gap);
  const [x, y] = sideways ? [byWidth + gap, 0] : [0, byHeight + gap];
  return {
    ...strip,
    large: sideways ? { ...large, width: Math.max(0, byWidth) } : { ...large, height: Math.max(0, byHeight) },
    corners: strip.corners.map((corner) => ({ x: corner.x + x, y: corner.y + y })),
  };
}

function usedHeight({ height, corners }, gap) {
  const rows = new Set(corners.map(({ y }) => y)).size;
  return rows * (height + gap) - gap;
}

function between(least, value, most) {
  return Math.floor(Math.min(Math.max(least, value), most));
}

// Where the first of `count` pieces begins, so that all together lie in the middle of `length`.
function middle(length, count, size, gap) {
  return Math.max(0, Math.floor((length - count * size - (count - 1) * gap) / 2));
}
