using System.Buffers.Text;
using System.Globalization;

namespace Meanwhile.Pipeline;

/// <summary>Reads the time of a reading: a number since the Unix epoch, or an ISO 8601 text with a zone. The result is in milliseconds.</summary>
internal static class EventTime
{
    private const decimal SecondsBelow = 1e11m;
    private const decimal MillisecondsBelow = 1e14m;
    private const decimal MicrosecondsBelow = 1e17m;
    private const decimal NanosecondsBelow = 1e20m;

    /// <summary>Reads a time; finer parts than a millisecond are cut off.</summary>
    /// <param name="text">UTF-8, without quotes.</param>
    /// <param name="milliseconds">Since the Unix epoch.</param>
    /// <returns>False when it is no time.</returns>
    public static bool TryParse(ReadOnlySpan<byte> text, out long milliseconds) =>
        TryParseNumber(text, out milliseconds) || IsoTime.TryParse(text, out milliseconds);

    private static bool TryParseNumber(ReadOnlySpan<byte> text, out long milliseconds)
    {
        if (Utf8Parser.TryParse(text, out milliseconds, out var consumed) && consumed == text.Length)
        {
            milliseconds = ToMilliseconds(milliseconds);
            return true;
        }
        milliseconds = 0;
        // A decimal holds 28 digits exactly, where a double would move a time of many digits by a fraction of a microsecond.
        if (!decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
            return false;

        // Seconds, milli-, micro- or nanoseconds are told apart by magnitude.
        var magnitude = Math.Abs(number);
        decimal? inMilliseconds =
            magnitude < SecondsBelow ? number * 1000
            : magnitude < MillisecondsBelow ? number
            : magnitude < MicrosecondsBelow ? number / 1000
            : magnitude < NanosecondsBelow ? number / 1_000_000
            : null;
        if (inMilliseconds is not { } value)
            return false;
        milliseconds = (long)Math.Floor(value);
        return true;
    }

    // Most times are whole numbers, and whole arithmetic is many times faster.
    private static long ToMilliseconds(long number) => Math.Abs(Math.Max(number, -long.MaxValue)) switch
    {
        < (long)SecondsBelow => number * 1000,
        < (long)MillisecondsBelow => number,
        < (long)MicrosecondsBelow => FloorDivide(number, 1000),
        _ => FloorDivide(number, 1_000_000),
    };

    private static long FloorDivide(long number, long divisor)
    {
        var (quotient, rest) = Math.DivRem(number, divisor);
        return rest < 0 ? quotient - 1 : quotient;
    }
}
