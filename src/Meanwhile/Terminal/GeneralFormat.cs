using System.Globalization;

namespace Meanwhile.Terminal;

/// <summary>Numbers as C's <c>%g</c> writes them: six significant digits, an exponent only where it is shorter, no zeros at the end.</summary>
internal static class GeneralFormat
{
    private const int Precision = 6;

    /// <summary>Formats a finite number.</summary>
    public static string Format(double value)
    {
        var scientific = value.ToString("e5", CultureInfo.InvariantCulture); // d.ddddde+ddd, rounded once from the exact value.
        var mark = scientific.IndexOf('e', StringComparison.Ordinal);
        var exponent = int.Parse(scientific.AsSpan(mark + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        if (exponent is < -4 or >= Precision)
            return $"{TrimZeros(scientific[..mark])}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
        return TrimZeros(Fixed(scientific.AsSpan(0, mark), exponent));
    }

    // Puts the point of d.ddddd where the exponent says. Formatting the value again with "F" would round a second time, at another place.
    private static string Fixed(ReadOnlySpan<char> mantissa, int exponent)
    {
        var sign = mantissa[0] == '-' ? "-" : "";
        var digits = string.Concat(mantissa[sign.Length..(sign.Length + 1)], mantissa[(sign.Length + 2)..]);
        return exponent < 0
            ? $"{sign}0.{new string('0', -exponent - 1)}{digits}"
            : $"{sign}{digits[..(exponent + 1)]}.{digits[(exponent + 1)..]}";
    }

    private static string TrimZeros(string number) =>
        number.Contains('.', StringComparison.Ordinal) ? number.TrimEnd('0').TrimEnd('.') : number;
}
