using Spectre.Console;

namespace Meanwhile.Terminal.Live;

/// <summary>How many cells each part of a line has.</summary>
/// <param name="FirstColumn">The first statistic with room.</param>
/// <param name="Values">Widths of the statistics that have room, each with a cell for its mark.</param>
/// <param name="Curve">Width of the curve; 0 for none.</param>
/// <param name="Results">Width of the number of results.</param>
internal sealed record LiveLayout(int FirstColumn, IReadOnlyList<int> Values, int Curve, int Results)
{
    /// <summary>Width of the age.</summary>
    public const int Age = 5;

    private const int LeastValue = 8;
    private const int LeastResults = 7;
    private const int LeastCurve = 5;
    private const int LeastTopic = 12;

    /// <summary>Divides a width: statistics first, as many as have room, then topic and curve.</summary>
    public static LiveLayout Of(LivePage page, int width)
    {
        var results = Math.Max(LeastResults, page.Rows.Select(row => $"{row.Results}".Length).DefaultIfEmpty().Max());
        var rest = width - results - Age - LeastTopic - 5; // Marks of two headings, and the gaps.
        List<int> values = [];
        var first = Math.Min(page.FirstColumn, Math.Max(0, page.Columns.Count - 1));
        for (var column = first; column < page.Columns.Count; column++)
        {
            var cells = 1 + page.Rows.Select(row => row.Cells[column].Text.Length).Append(LeastValue).Append(page.Columns[column].GetCellWidth()).Max();
            if (cells + 1 > rest && values.Count > 0)
                break;
            values.Add(cells);
            rest -= cells + 1;
        }
        var curve = Math.Min(LiveSeries.CurveLength, (rest + LeastTopic) / 3);
        curve = Math.Min(curve, rest - 1);
        return new LiveLayout(first, values, curve < LeastCurve ? 0 : curve, results);
    }
}
