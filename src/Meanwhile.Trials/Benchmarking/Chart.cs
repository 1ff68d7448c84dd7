using System.Globalization;
using System.Net;
using System.Text;

namespace Meanwhile.Trials.Benchmarking;

/// <summary>
/// Draws a report as SVG, light or dark as the reader's page is: a bar for each row; or, where there are sizes, a line for each name. A thin stroke goes
/// from the lowest to the highest round. Values are on a logarithmic axis.
/// </summary>
internal sealed class Chart
{
    private const int Width = 760, Top = 48, RowHeight = 26, LineHeight = 300;

    // What is measured has colours; floors are grey, and told apart by their dashes.
    private const string Style = """
        <style>
        .ground{fill:#fff} text{fill:#222} .quiet{fill:#555} .grid{stroke:#ddd} .spread{stroke:#222}
        .program0{color:#2f6fb0} .program1{color:#2e8540} .program2{color:#8a56a8} .baseline{color:#c2571a} .floor{color:#777}
        @media (prefers-color-scheme: dark){
        .ground{fill:#161b22} text{fill:#e6e6e6} .quiet{fill:#aaa} .grid{stroke:#333a44} .spread{stroke:#e6e6e6}
        .program0{color:#5b9fe0} .program1{color:#5fbf73} .program2{color:#bb8fd6} .baseline{color:#e3814a} .floor{color:#999}}
        </style>
        """;

    private static readonly string[] Dashes = ["none", "7 4", "2 3"];

    private readonly StringBuilder _svg = new();
    private readonly ScenarioReport _report;
    private readonly List<(Row Row, Figure Figure)> _points;
    private readonly double _lowest;
    private readonly double _highest;
    private readonly int _left;
    private readonly int _right;

    private Chart(ScenarioReport report)
    {
        _report = report;
        (_left, _right) = report.SizeName is null ? (190, 110) : (90, 210); // Names stand before bars, and behind lines.
        _points = [.. report.Rows.Select(row => (Row: row, Figure: row.Find(report.ChartFigure))).Where(point => point.Figure is { Lowest: > 0 }).Select(point => (point.Row, point.Figure!))];
        _lowest = Math.Pow(10, Math.Floor(Math.Log10(_points.Min(point => point.Figure.Lowest))));
        _highest = Math.Pow(10, Math.Ceiling(Math.Log10(_points.Max(point => point.Figure.Highest) * 1.01)));
    }

    /// <summary>The picture.</summary>
    public static string Draw(ScenarioReport report)
    {
        var chart = new Chart(report);
        var isBars = report.SizeName is null;
        var height = Top + 44 + (isBars ? chart._points.Count * RowHeight : LineHeight);
        chart.Add($"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {height}" font-family="system-ui, sans-serif" font-size="12">""");
        chart._svg.Append(Style).Append('\n');
        chart.Add($"""<rect class="ground" width="{Width}" height="{height}"/>""");
        chart.Add($"""<text x="12" y="20" font-size="14" font-weight="600">{Escape($"{report.Name}: {chart._points[0].Figure.Title} (logarithmic)")}</text>""");
        chart.Add($"""<text class="quiet" x="12" y="36">{Escape(report.Title)}</text>""");
        if (isBars)
            chart.DrawBars();
        else
            chart.DrawLines();
        return chart._svg.Append("</svg>\n").ToString();
    }

    private void DrawBars()
    {
        var bottom = Top + (_points.Count * RowHeight);
        for (var value = _lowest; value <= _highest * 1.001; value *= 10)
        {
            Add($"""<path class="grid" d="M{X(value):0.#} {Top}V{bottom}"/>""");
            Add($"""<text class="quiet" x="{X(value):0.#}" y="{bottom + 18}" text-anchor="middle">{value:#,0.###}</text>""");
        }
        for (var i = 0; i < _points.Count; i++)
        {
            var ((row, figure), y) = (_points[i], Top + (i * RowHeight));
            Add($"""<text x="{_left - 8}" y="{y + 17}" text-anchor="end">{Escape(row.Name)}</text>""");
            Add($"""<rect class="{ClassOf(row)}" fill="currentColor" x="{_left}" y="{y + 5}" width="{X(figure.Median) - _left:0.#}" height="16" rx="2"/>""");
            Add($"""<path class="spread" d="M{X(figure.Lowest):0.#} {y + 13}H{X(figure.Highest):0.#}" stroke-width="1.5"/>""");
            Add($"""<text x="{X(figure.Highest) + 6:0.#}" y="{y + 17}">{figure.Show(figure.Median)}</text>""");
        }
    }

    private void DrawLines()
    {
        for (var value = _lowest; value <= _highest * 1.001; value *= 10)
        {
            Add($"""<path class="grid" d="M{_left} {Y(value):0.#}H{Width - _right}"/>""");
            Add($"""<text class="quiet" x="{_left - 8}" y="{Y(value) + 4:0.#}" text-anchor="end">{value:#,0.###}</text>""");
        }
        var sizes = _points.Where(point => point.Row.Size is not null).Select(point => point.Row.Size!.Value).Distinct().Order().ToList();
        for (var i = 0; i < sizes.Count; i++)
            Add($"""<text class="quiet" x="{Place(i, sizes.Count):0.#}" y="{Top + LineHeight + 18}" text-anchor="middle">{sizes[i]:N0}</text>""");
        Add($"""<text class="quiet" x="{_left}" y="{Top + LineHeight + 36}">{Escape(_report.SizeName!)}</text>""");
        var lines = Names(RowKind.Floor).Select((name, i) => (Name: name, Dash: Dashes[i % Dashes.Length]))
            .Concat(Names(RowKind.Program).Select(name => (Name: name, Dash: Dashes[0])))
            .Select(line => (line.Name, line.Dash, Places: PlacesOf(line.Name, sizes)));
        var lowest = double.MinValue;
        foreach (var (name, dash, places) in lines.OrderBy(line => Y(line.Places[^1].Figure.Median)))
            lowest = DrawLine(name, dash, places, lowest + 14);
    }

    // A row without a size has the same value at each of them.
    private List<(double X, Figure Figure)> PlacesOf(string name, List<long> sizes) =>
    [
        .. _points.Where(point => point.Row.Name == name)
            .SelectMany(point => sizes.Where(size => point.Row.Size is null || point.Row.Size == size).Select(size => (Place(sizes.IndexOf(size), sizes.Count), point.Figure))),
    ];

    private double DrawLine(string name, string dash, List<(double X, Figure Figure)> places, double highest)
    {
        Add($"""<g class="{ClassOf(_points.First(point => point.Row.Name == name).Row)}" stroke="currentColor" stroke-width="1.5">""");
        var line = string.Join(' ', places.Select(place => FormattableString.Invariant($"{place.X:0.#},{Y(place.Figure.Median):0.#}")));
        Add($"""<polyline points="{line}" fill="none" stroke-width="2" stroke-dasharray="{dash}"/>""");
        foreach (var (x, figure) in places)
            Add($"""<path d="M{x:0.#} {Y(figure.Lowest):0.#}V{Y(figure.Highest):0.#}"/><circle cx="{x:0.#}" cy="{Y(figure.Median):0.#}" r="3" fill="currentColor"/>""");
        _svg.Append("</g>\n");
        var y = Math.Max(highest, Y(places[^1].Figure.Median)); // Names do not lie upon each other.
        Add($"""<text x="{places[^1].X + 9:0.#}" y="{y + 4:0.#}">{Escape(name)}</text>""");
        return y;
    }

    private string ClassOf(Row row) => row.Kind switch
    {
        RowKind.Program => $"program{Names(RowKind.Program).ToList().IndexOf(row.Name) % 3}",
        RowKind.Baseline => "baseline",
        _ => "floor",
    };

    private IEnumerable<string> Names(RowKind kind) => _points.Where(point => point.Row.Kind == kind).Select(point => point.Row.Name).Distinct(StringComparer.Ordinal);

    private void Add(FormattableString line) => _svg.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');

    private double Along(double value) => Math.Log10(value / _lowest) / Math.Log10(_highest / _lowest);

    private double X(double value) => _left + (Along(value) * (Width - _left - _right));

    private double Y(double value) => Top + 10 + ((1 - Along(value)) * (LineHeight - 20));

    private double Place(int index, int count) => _left + 20 + (index * (Width - _left - _right - 40.0) / Math.Max(1, count - 1));

    private static string Escape(string text) => WebUtility.HtmlEncode(text);
}
