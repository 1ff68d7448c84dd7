using System.Buffers;
using System.Globalization;

namespace Meanwhile.Pipeline;

/// <summary>Spans of time as people write them: <c>500ms</c>, <c>60s</c>, <c>5min</c>, <c>2h</c>, <c>1d</c>.</summary>
internal static class Duration
{
    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789.");

    private static readonly (string Unit, long Milliseconds)[] Units =
        [("ms", 1), ("s", 1000), ("min", 60_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

    /// <summary>Reads a positive span of at most 36,500 days.</summary>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = default;
        var digits = text.AsSpan().IndexOfAnyExcept(Digits);
        if (digits <= 0)
            return false;
        var (_, milliseconds) = Array.Find(Units, u => text.AsSpan(digits).Equals(u.Unit, StringComparison.Ordinal));
        if (milliseconds == 0 || !decimal.TryParse(text.AsSpan(0, digits), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
            return false;
        if (number <= 0 || number > 36_500m * 86_400_000 / milliseconds)
            return false;
        duration = TimeSpan.FromMilliseconds((double)(number * milliseconds));
        return true;
    }

    /// <summary>Reads a span, or says what was expected.</summary>
    public static TimeSpan Parse(string text) =>
        TryParse(text, out var duration) ? duration : throw new FormatException("a span of time such as 500ms, 60s, 5min or 2h");
}
