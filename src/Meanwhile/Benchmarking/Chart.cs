using System.Globalization;
using System.Net;
using System.Text;

namespace Meanwhile.Benchmarking;

/// <summary>Draws a report as SVG: a bar for each row, with the lowest and the highest round; or, where there are sizes, a line for each name. Both axes are logarithmic.</summary>
internal sealed class Chart
{
    private const int Width = 760, Left = 190, Right = 110, Top = 48, RowHeight = 26, LineHeight = 300;

    // Told apart also without colours: by their labels, and in lines by their marks' order.
    private static readonly string[] Colours = ["#2f6fb0", "#c2571a", "#3d8b4e", "#8a56a8", "#7a7a7a", "#a8862a"];

    private readonly StringBuilder _svg = new();
    private readonly ScenarioReport _report;
    private readonly List<(Row Row, Figure Figure)> _points;
    private readonly double _lowest;
    private readonly double _highest;

    private Chart(ScenarioReport report)
    {
        _report = report;
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
        chart._svg.Append(CultureInfo.InvariantCulture, $"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {height}" font-family="system-ui, sans-serif" font-size="12">
            <rect width="{Width}" height="{height}" fill="#ffffff"/>
            <text x="12" y="20" font-size="14" font-weight="600" fill="#222222">{Escape($"{report.Name}: {chart._points[0].Figure.Name}")}</text>
            <text x="12" y="36" fill="#555555">{Escape(report.Title)}</text>

            """);
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
            Tick(X(value), value, bottom);
        for (var i = 0; i < _points.Count; i++)
        {
            var ((row, figure), y) = (_points[i], Top + (i * RowHeight));
            var colour = Colours[row.Kind switch { RowKind.Program => 0, RowKind.Floor => 4, _ => 1 }];
            Add($"""<text x="{Left - 8}" y="{y + 17}" text-anchor="end" fill="#222222">{Escape(row.Name)}</text>""");
            Add($"""<rect x="{Left}" y="{y + 5}" width="{X(figure.Median) - Left:0.#}" height="16" rx="2" fill="{colour}"/>""");
            Add($"""<path d="M{X(figure.Lowest):0.#} {y + 13}H{X(figure.Highest):0.#}" stroke="#222222" stroke-width="1.5"/>""");
            Add($"""<text x="{X(figure.Highest) + 6:0.#}" y="{y + 17}" fill="#222222">{figure.Show(figure.Median)}</text>""");
        }
    }

    private void DrawLines()
    {
        var sizes = _points.Where(point => point.Row.Size is not null).Select(point => point.Row.Size!.Value).Distinct().Order().ToList();
        for (var value = _lowest; value <= _highest * 1.001; value *= 10)
        {
            Add($"""<path d="M{Left} {Y(value):0.#}H{Width - Right}" stroke="#dddddd"/>""");
            Add($"""<text x="{Left - 8}" y="{Y(value) + 4:0.#}" text-anchor="end" fill="#555555">{value:#,0.###}</text>""");
        }
        for (var i = 0; i < sizes.Count; i++)
            Add($"""<text x="{Place(i, sizes.Count):0.#}" y="{Top + LineHeight + 18}" text-anchor="middle" fill="#555555">{sizes[i]:N0}</text>""");
        Add($"""<text x="{Left}" y="{Top + LineHeight + 36}" fill="#555555">{Escape(_report.SizeName!)}</text>""");
        var taken = new List<double>();
        foreach (var (name, colour) in _points.Select(point => point.Row.Name).Distinct(StringComparer.Ordinal).Zip(Colours))
            DrawLine(name, colour, sizes, taken);
    }

    private void DrawLine(string name, string colour, List<long> sizes, List<double> taken)
    {
        var points = _points.Where(point => point.Row.Name == name).ToList();
        var places = points.SelectMany(point => point.Row.Size is { } size ? [(X: Place(sizes.IndexOf(size), sizes.Count), point.Figure)] : sizes.Select((_, i) => (X: Place(i, sizes.Count), point.Figure))).ToList();
        Add($"""<polyline points="{string.Join(' ', places.Select(place => FormattableString.Invariant($"{place.X:0.#},{Y(place.Figure.Median):0.#}")))}" fill="none" stroke="{colour}" stroke-width="2"/>""");
        foreach (var (x, figure) in places)
        {
            Add($"""<path d="M{x:0.#} {Y(figure.Lowest):0.#}V{Y(figure.Highest):0.#}" stroke="{colour}" stroke-width="1.5"/>""");
            Add($"""<circle cx="{x:0.#}" cy="{Y(figure.Median):0.#}" r="3.5" fill="{colour}"/>""");
        }
        var y = Y(places[^1].Figure.Median);
        while (taken.Exists(other => Math.Abs(other - y) < 14))
            y += 14;
        taken.Add(y);
        Add($"""<text x="{places[^1].X + 9:0.#}" y="{y + 4:0.#}" fill="{colour}">{Escape(name)}</text>""");
    }

    private void Tick(double x, double value, int bottom)
    {
        Add($"""<path d="M{x:0.#} {Top}V{bottom}" stroke="#dddddd"/>""");
        Add($"""<text x="{x:0.#}" y="{bottom + 18}" text-anchor="middle" fill="#555555">{value:#,0.###}</text>""");
    }

    private void Add(FormattableString line) => _svg.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');

    private double Along(double value) => Math.Log10(value / _lowest) / Math.Log10(_highest / _lowest);

    private double X(double value) => Left + (Along(value) * (Width - Left - Right));

    private double Y(double value) => Top + 10 + ((1 - Along(value)) * (LineHeight - 20));

    private static double Place(int index, int count) => Left + 20 + (index * (Width - Left - Right - 60.0) / Math.Max(1, count - 1));

    private static string Escape(string text) => WebUtility.HtmlEncode(text);
}
