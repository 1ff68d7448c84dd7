using System.Buffers;

namespace Meanwhile.History;

/// <summary>
/// The decimal sign of a column in a file with semicolons, where it may be a comma. The first number that has one decides: a file with both may mean thousands
/// by one of them, so nothing of it is read on.
/// </summary>
internal sealed class DecimalSign
{
    private static readonly SearchValues<char> OfNumbers = SearchValues.Create("0123456789+-eE,.");

    private char _sign;
    private long _line;

    /// <summary>A number with a decimal point; what is no number stays as it is.</summary>
    /// <param name="line">Where it stands.</param>
    /// <exception cref="UserException">Another line has another sign.</exception>
    public string WithPoint(string number, long line)
    {
        var at = number.AsSpan().IndexOfAny(',', '.');
        if (at < 0 || number.AsSpan(at + 1).IndexOfAny(',', '.') >= 0 || number.AsSpan().Trim().IndexOfAnyExcept(OfNumbers) >= 0)
            return number;
        if (_sign == default)
            (_sign, _line) = (number[at], line);
        return number[at] == _sign
            ? number.Replace(',', '.')
            : throw new UserException($"line {line}: '{number}' has a decimal {NameOf(number[at])}, and line {_line} has a decimal {NameOf(_sign)}: expected the same sign in the whole file, as it may stand for thousands elsewhere");
    }

    private static string NameOf(char sign) => sign == ',' ? "comma" : "point";
}
