using System.Buffers.Text;
using System.Globalization;

namespace Meanwhile.Pipeline;

/// <summary>Reads the number of a reading.</summary>
internal static class FiniteNumber
{
    private static readonly double[] PowersOfTen = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14];

    /// <summary>Reads a number, to the nearest double.</summary>
    /// <param name="text">UTF-8, without quotes.</param>
    /// <param name="number">It.</param>
    /// <returns>False when it is none, or beyond a double.</returns>
    public static bool TryParse(ReadOnlySpan<byte> text, out double number) =>
        // Values beyond a double come out as infinite, and the names of NaN and the infinities are numbers to the framework: neither is a reading.
        TryParseShort(text, out number)
        || (Utf8Parser.TryParse(text, out number, out var consumed) && consumed == text.Length && double.IsFinite(number))
        || (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number) && double.IsFinite(number));

    // Digits that a double holds exactly, divided by a power of ten that it holds exactly, are rounded once: right, and several times faster.
    private static bool TryParseShort(ReadOnlySpan<byte> text, out double number)
    {
        number = 0;
        if (text.IsEmpty || text.Length > PowersOfTen.Length || text[0] == '.')
            return false;
        var (digits, decimals) = (0L, -1);
        foreach (var character in text)
        {
            if (character == '.' && decimals < 0)
                decimals = 0;
            else if (character is < (byte)'0' or > (byte)'9')
                return false;
            else
                (digits, decimals) = ((digits * 10) + (character - '0'), decimals < 0 ? -1 : decimals + 1);
        }
        number = decimals < 0 ? digits : digits / PowersOfTen[decimals];
        return decimals != 0;
    }
}
