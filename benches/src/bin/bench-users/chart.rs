//! The report as a chart: of each group of rows the dearest, by how many users there are.

use std::path::Path;

use benches::Failure;
use benches::report::{Report, Row};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

const SIZE: (u32, u32) = (900, 460);

/// Right of the lines, for what they are.
const MARGIN: u32 = 290;

/// A group of rows, and the colour of its line.
struct Group {
    what: &'static str,
    colour: RGBColor,
    has: fn(&str) -> bool,
}

const GROUPS: [Group; 5] = [
    Group { what: "100 changes", colour: RGBColor(31, 119, 180), has: |row| row.starts_with("changes") },
    Group {
        what: "20 of one status, by one field",
        colour: RGBColor(214, 39, 40),
        has: |row| is_of_one(row) && !is_by_two(row),
    },
    Group { what: "20, by two fields, any status", colour: RGBColor(148, 103, 189), has: is_by_two },
    Group {
        what: "20 of all, by one field",
        colour: RGBColor(44, 160, 44),
        has: |row| is_list(row) && !is_of_one(row) && !is_by_two(row),
    },
    Group {
        what: "a look-up by a unique value",
        colour: RGBColor(127, 127, 127),
        has: |row| row.starts_with("look-up"),
    },
];

fn is_list(row: &str) -> bool {
    row.starts_with("sort=")
}

fn is_by_two(row: &str) -> bool {
    row.starts_with("sort=status,-gender") || row.starts_with("sort=identification_type,")
}

fn is_of_one(row: &str) -> bool {
    row.contains(", status=") && !row.contains(", status=ACTIVE,BLOCKED")
}

/// Draws it.
pub(crate) fn draw(report: &Report, path: &Path) -> Result<(), Failure> {
    let lines: Vec<_> = GROUPS.iter().map(|group| (group, dearest(report, group))).collect();
    let most = lines.iter().flat_map(|(_, line)| line).map(|(_, units)| *units).fold(0.0, f64::max);
    let ends = report.sizes.first().zip(report.sizes.last());
    let (least, last) = ends.map(|(first, last)| (*first as f64, *last as f64)).ok_or("Nothing was measured.")?;
    let area = SVGBackend::new(path, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let (left, right) = area.split_horizontally(SIZE.0 - MARGIN);
    let mut chart = ChartBuilder::on(&left)
        .caption("Read units of one request, by users in the segment", ("sans-serif", 20))
        .margin(12)
        .x_label_area_size(50)
        .y_label_area_size(58)
        .build_cartesian_2d((least..last).log_scale(), 0.0..most * 1.1)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .x_labels(report.sizes.len())
        .x_label_formatter(&|size| grouped(*size))
        .y_label_formatter(&|units| format!("{units:.0}"))
        .x_desc("users in the segment")
        .y_desc("read units")
        .label_style(("sans-serif", 16))
        .draw()?;
    for (group, line) in &lines {
        let style = ShapeStyle::from(&group.colour).stroke_width(2);
        chart.draw_series(LineSeries::new(line.iter().copied(), style))?;
        chart.draw_series(line.iter().map(|point| Circle::new(*point, 3, style.filled())))?;
        let Some(end) = line.last() else { continue };
        let (_, y) = chart.backend_coord(end);
        let anchor = Pos::new(HPos::Left, VPos::Center);
        let style = ("sans-serif", 17).into_font().color(&group.colour).pos(anchor);
        right.draw(&Text::new(format!("{}: {:.0}", group.what, end.1), (4, y), style))?;
    }
    area.present()?;
    Ok(())
}

/// What the dearest row of a group takes at each size.
fn dearest(report: &Report, group: &Group) -> Vec<(f64, f64)> {
    let rows: Vec<&Row> = report.rows.iter().filter(|row| (group.has)(&row.what)).collect();
    let at = |nth: usize| {
        rows.iter().filter_map(move |row| row.costs.get(nth)).map(|cost| cost.read_units).fold(0.0, f64::max)
    };
    report.sizes.iter().enumerate().map(|(nth, size)| (*size as f64, at(nth))).collect()
}

/// A number with commas.
fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let parts: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    parts.join(",")
}
