using Spectre.Console;
using Spectre.Console.Rendering;

namespace Meanwhile.Terminal.Live;

/// <summary>One line of the screen, filled from left to right. What has no room is cut off; the last cell stays free, so that no terminal wraps.</summary>
internal sealed class LiveLine(int width)
{
    private readonly List<Segment> _segments = [];
    private int _free = width - 1;

    /// <summary>What was put there.</summary>
    public IReadOnlyList<Segment> Segments => _segments;

    /// <summary>Adds a safe text.</summary>
    public LiveLine Put(string text, Style? style = null)
    {
        var cut = SafeText.Cut(text, _free);
        _free -= cut.GetCellWidth();
        if (cut.Length > 0)
            _segments.Add(new Segment(cut, style ?? Style.Plain));
        return this;
    }

    /// <summary>Adds a text at the right of its column.</summary>
    public LiveLine PutRight(string text, int cells, Style? style = null) => Put(new string(' ', Math.Max(0, cells - text.GetCellWidth()))).Put(text, style);

    /// <summary>Fills it up with spaces.</summary>
    public LiveLine Fill(Style style) => Put(new string(' ', Math.Max(0, _free)), style);
}
