using Spectre.Console;
using Spectre.Console.Rendering;

namespace Meanwhile.Terminal.Live;

/// <summary>
/// A page laid out for a width and a height. Topics stand last in their lines, as commands do in top: terminals disagree about the width of some characters, and so
/// nothing else is moved. What colours say, marks say as well.
/// </summary>
internal sealed class LiveFrame(LivePage page, int width, int height) : Renderable
{
    /// <summary>Lines that hold no series: two of headings, and three at the foot.</summary>
    public const int OtherLines = 5;

    private static readonly Style Dim = new(decoration: Decoration.Dim);
    private static readonly Style Bold = new(decoration: Decoration.Bold);
    private static readonly Style Underlined = new(decoration: Decoration.Underline);
    private static readonly Style Inverted = new(decoration: Decoration.Invert);
    private static readonly Style Good = new(Color.Green);
    private static readonly Style Bad = new(Color.Red);
    private static readonly Style Old = new(Color.Olive);

    private readonly LiveLayout _layout = LiveLayout.Of(page, width);

    /// <inheritdoc/>
    protected override IEnumerable<Segment> Render(RenderOptions options, int maxWidth)
    {
        List<LiveLine> lines = [Title(), Headings(), .. page.Rows.Select(Row)];
        while (lines.Count < height - OtherLines + 2)
            lines.Add(Line());
        lines.AddRange([Selection(), Foot(), Help()]);
        return lines.Take(height).SelectMany(line => line.Segments.Append(Segment.LineBreak));
    }

    private LiveLine Line() => new(width);

    private LiveLine Title()
    {
        var title = Line().Put(page.State, page.IsConnected ? Good : Bad).Put($"  {SafeText.Of(page.Source)}  {page.Results} results  {page.Series} series");
        if (page.Silent > 0)
            title.Put($"  {page.Silent} silent", Old);
        if (page.LeftOut > 0)
            title.Put($"  {page.LeftOut} results of further series left out", Bad);
        return title;
    }

    private LiveLine Headings()
    {
        var line = Line();
        for (var i = 0; i < _layout.Values.Count; i++)
        {
            var column = _layout.FirstColumn + i;
            Heading(line, page.Columns[column], _layout.Values[i] - 1, SortBy.Value, column);
        }
        if (_layout.Curve > 0)
            line.Put(new string(' ', _layout.Curve + 1), Underlined);
        Heading(line, "results", _layout.Results, SortBy.Results);
        Heading(line, "age", LiveLayout.Age, SortBy.Age);
        return line.Put("topic", Underlined).Put(Mark(SortBy.Topic, column: 0), Bold).Fill(Underlined);
    }

    private void Heading(LiveLine line, string name, int cells, SortBy by, int column = 0) =>
        line.Put(new string(' ', Math.Max(0, cells - name.GetCellWidth())) + name, Underlined).Put(Mark(by, column), Bold).Put(" ", Underlined);

    private string Mark(SortBy by, int column)
    {
        if (page.Order.By != by || (by == SortBy.Value && page.Order.Column != column))
            return " ";
        var isDescending = by is SortBy.Topic or SortBy.Age ? page.Order.IsReversed : !page.Order.IsReversed;
        return isDescending ? "↓" : "↑";
    }

    private LiveLine Row(LiveRow row)
    {
        var line = Line();
        for (var i = 0; i < _layout.Values.Count; i++)
        {
            var cell = row.Cells[_layout.FirstColumn + i];
            var style = cell.Change > 0 ? Good : cell.Change < 0 ? Bad : Style.Plain;
            line.PutRight(cell.Text, _layout.Values[i] - 1, style).Put(cell.Change > 0 ? "▲ " : cell.Change < 0 ? "▼ " : "  ", style);
        }
        if (_layout.Curve > 0)
            line.Put(Sparkline.Draw(row.Recent, _layout.Curve).PadLeft(_layout.Curve) + " ", Dim);
        line.PutRight($"{row.Results}", _layout.Results).Put("  ");
        line.PutRight(Age(row.Age), LiveLayout.Age, row.IsSilent ? Old : Style.Plain).Put("  ");
        return line.Put(row.Topic, row.IsSelected ? Inverted : Style.Plain);
    }

    private LiveLine Selection() => page.Rows.Select((row, i) => (row, i)).FirstOrDefault(place => place.row.IsSelected) is ({ } selected, var at)
        ? Line().Put($"{page.FirstRow + at + 1} of {page.Matching}: ", Dim).Put(selected.Topic)
        : Line().Put(page.Series == 0 ? "no results yet" : "no topic contains the filter", Dim);

    private LiveLine Foot()
    {
        if (page.IsTyping)
            return Line().Put("/").Put(SafeText.Of(page.Filter), Bold).Put("_  ").Put("Enter keeps the filter, Esc clears it", Dim);
        var line = Line();
        if (page.Filter.Length > 0)
            line.Put("topics with ").Put(SafeText.Of(page.Filter), Bold).Put("  (Esc: all)  ");
        return line.Put(page.Log, Dim);
    }

    private LiveLine Help()
    {
        var (first, last, all) = (_layout.FirstColumn + 1, _layout.FirstColumn + _layout.Values.Count, page.Columns.Count);
        var columns = _layout.Values.Count == all ? "" : $"  ←→ columns {first} to {last} of {all}";
        return Line().Put($"q quit  ↑↓ PgUp PgDn move  / filter  s sort  r reverse{columns}", Dim);
    }

    private static string Age(TimeSpan age) =>
        age < TimeSpan.FromMinutes(1) ? $"{(int)age.TotalSeconds}s"
        : age < TimeSpan.FromHours(1) ? $"{(int)age.TotalMinutes}min"
        : age < TimeSpan.FromDays(1) ? $"{(int)age.TotalHours}h"
        : $"{(int)age.TotalDays}d";
}
