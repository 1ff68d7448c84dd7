using System.Text;

namespace Meanwhile.Trials.Benchmarking;

/// <summary>A report as a table for a person: medians, and of the first figure the lowest and the highest round.</summary>
internal static class ReportTable
{
    public static void Write(TextWriter output, ScenarioReport report)
    {
        var figures = report.Rows.SelectMany(row => row.Figures).DistinctBy(figure => figure.Name, StringComparer.Ordinal).ToList();
        List<string> header = ["", .. report.SizeName is { } size ? [size] : (string[])[], .. figures.SelectMany((figure, i) => i == 0 ? [figure.Title, "lowest–highest"] : (string[])[figure.Title])];
        var remarks = report.Rows.SelectMany(row => row.Remarks).Select(remark => remark.Name).Distinct(StringComparer.Ordinal).ToList();
        List<List<string>> lines = [header, .. report.Rows.Select(row => Line(report, row, figures))];
        for (var line = 0; line < lines.Count; line++)
            lines[line].AddRange(remarks.Select(name => line == 0 ? name : report.Rows[line - 1].Remarks.FirstOrDefault(remark => remark.Name == name).Text ?? ""));
        var widths = Enumerable.Range(0, header.Count).Select(column => lines.Max(line => line[column].Length)).ToList();
        output.Write($"{report.Name}: {report.Title}\n");
        foreach (var line in lines)
            output.Write(Align(line, widths, header.Count - remarks.Count) + "\n");
        foreach (var note in report.Notes)
            output.Write($"  {note}\n");
        foreach (var finding in report.Findings)
            output.Write($"finding: {finding}\n");
        output.Write("\n");
    }

    private static List<string> Line(ScenarioReport report, Row row, List<Figure> figures)
    {
        List<string> line = [row.Name];
        if (report.SizeName is not null)
            line.Add(row.Size is { } size ? $"{size:N0}" : "");
        for (var i = 0; i < figures.Count; i++)
        {
            var figure = row.Find(figures[i].Name);
            line.Add(figure is null ? "" : figure.Show(figure.Median));
            if (i == 0)
                line.Add(figure is null ? "" : $"{figure.Show(figure.Lowest)}–{figure.Show(figure.Highest)}");
        }
        return line;
    }

    // Figures end at the same column, and words begin there.
    private static string Align(List<string> line, List<int> widths, int figures)
    {
        var text = new StringBuilder(line[0].PadRight(widths[0]));
        for (var column = 1; column < line.Count; column++)
            text.Append("  ").Append(column < figures ? line[column].PadLeft(widths[column]) : line[column].PadRight(widths[column]));
        return text.ToString().TrimEnd();
    }
}
