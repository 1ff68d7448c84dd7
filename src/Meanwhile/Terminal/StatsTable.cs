using System.Text;
using Meanwhile.Logging;

namespace Meanwhile.Terminal;

/// <summary>The seed's table of one result: names, rules, numbers.</summary>
internal static class StatsTable
{
    private const string Gap = "  ";

    /// <summary>Lays a result out. A null, which is a mean of nothing, leaves its place empty.</summary>
    /// <returns>Three lines, each with its line end.</returns>
    public static string Format(IReadOnlyList<StatsMember> result)
    {
        List<(string Name, string Cell, int Width)> columns = [];
        foreach (var member in result)
        {
            var (name, cell) = (PlainFormatter.OneLine(member.Name), member.Value is { } value ? GeneralFormat.Format(value) : "");
            columns.Add((name, cell, Math.Max(name.Length + Gap.Length, cell.Length)));
        }
        return Line(columns, c => c.Name) + Line(columns, c => new string('-', c.Width)) + Line(columns, c => c.Cell);
    }

    private static string Line(List<(string Name, string Cell, int Width)> columns, Func<(string Name, string Cell, int Width), string> text)
    {
        var line = new StringBuilder();
        foreach (var column in columns)
            line.Append(line.Length == 0 ? "" : Gap).Append(text(column).PadLeft(column.Width));
        return line.ToString().TrimEnd() + "\n";
    }
}
