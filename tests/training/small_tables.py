"""A small table for tests: sizes, colours, weights with gaps, and a grade that follows from the size."""

COLORS = ["red", "green", "blue"]


def table_rows(count=150):
    """Return rows of id, size, color, weight (every ninth empty), grade, as a file has them."""
    rows = []
    for i in range(count):
        size, color = (i * 37 % 100) / 10, COLORS[i % 3]
        weight = "" if i % 9 == 0 else f"{size * 2 + i % 3:g}"
        rows.append((i + 1, f"{size:g}", color, weight, "=high" if size + i % 3 > 6 else "low"))
    return rows


def write_table(path, rows, head="id,size,color,weight,grade"):
    """Write rows below a line of names."""
    path.write_text("\n".join([head, *(",".join(map(str, row)) for row in rows)]) + "\n")
    return path
