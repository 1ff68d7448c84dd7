namespace Meanwhile.Terminal.Live;

/// <summary>A curve in one line of text.</summary>
internal static class Sparkline
{
    private const string Levels = "▁▂▃▄▅▆▇█";

    /// <summary>Draws the newest values, a cell each, from the smallest to the largest of them.</summary>
    /// <param name="values">From old to new; null for none.</param>
    /// <param name="cells">How many there is room for.</param>
    public static string Draw(ReadOnlySpan<double?> values, int cells)
    {
        values = values[Math.Max(0, values.Length - cells)..];
        var (least, most) = (double.PositiveInfinity, double.NegativeInfinity);
        foreach (var value in values)
        {
            if (value is { } number)
                (least, most) = (Math.Min(least, number), Math.Max(most, number));
        }
        var curve = new char[values.Length];
        for (var i = 0; i < values.Length; i++)
            curve[i] = values[i] is { } number ? Levels[Level(number, least, most)] : ' ';
        return new string(curve);
    }

    // Halves first: the range of finite numbers may be beyond them.
    private static int Level(double value, double least, double most) =>
        least == most ? Levels.Length / 2 - 1 : (int)Math.Round((value / 2 - least / 2) / (most / 2 - least / 2) * (Levels.Length - 1));
}
