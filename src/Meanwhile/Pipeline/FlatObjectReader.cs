using System.Text;

namespace Meanwhile.Pipeline;

/// <summary>
/// Reads the members of a flat JSON object, which is what most sensors send, several times faster than the framework's reader. Whatever is not plain (nesting,
/// escapes, literals, errors) makes it give up, and is that reader's business.
/// </summary>
/// <param name="json">Valid UTF-8.</param>
internal ref struct FlatObjectReader(ReadOnlySpan<byte> json)
{
    private readonly ReadOnlySpan<byte> _json = json;
    private int _at;
    private bool _hasBegun;

    /// <summary>It met something that it does not understand.</summary>
    public bool HasGivenUp { get; private set; }

    /// <summary>Goes to the next member. False at the object's end, and when it gives up.</summary>
    /// <param name="name">Without the quotes.</param>
    /// <param name="value">Where a number is, or a text without its quotes.</param>
    public bool TryRead(out ReadOnlySpan<byte> name, out Range value)
    {
        name = default;
        value = default;
        var mark = Next();
        if (_hasBegun && mark == '}')
        {
            HasGivenUp = Next() >= 0;
            return false;
        }
        if (!_hasBegun && mark == '{' && TryEnd())
            return false;
        var isMember = mark == (_hasBegun ? ',' : '{') && TryMember(out name, out value);
        (_hasBegun, HasGivenUp) = (true, !isMember);
        return isMember;
    }

    /// <summary>Everything was read.</summary>
    public readonly bool IsAtEnd => _at == _json.Length;

    /// <summary>Passes over a text that is known; false when another one is there.</summary>
    public bool TrySkip(ReadOnlySpan<byte> text)
    {
        if (!_json[_at..].StartsWith(text))
            return false;
        _at += text.Length;
        return true;
    }

    /// <summary>Reads a number, or a text without its quotes, of nothing but ASCII.</summary>
    public bool TryReadPlain(out ReadOnlySpan<byte> value)
    {
        var isValue = TryValue(Next(), out var place);
        value = isValue ? _json[place] : default;
        return isValue && Ascii.IsValid(value);
    }

    // An object without members.
    private bool TryEnd()
    {
        var start = _at;
        if (Next() == '}')
        {
            HasGivenUp = Next() >= 0;
            return true;
        }
        _at = start;
        return false;
    }

    private bool TryMember(out ReadOnlySpan<byte> name, out Range value)
    {
        name = default;
        value = default;
        if (Next() != '"' || !TryText(out var place) || Next() != ':' || !TryValue(Next(), out value))
            return false;
        name = _json[place];
        return true;
    }

    // The next byte that is no white space; -1 at the end.
    private int Next()
    {
        while (_at < _json.Length)
        {
            var next = _json[_at++];
            if (next is not ((byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n'))
                return next;
        }
        return -1;
    }

    private bool TryValue(int first, out Range place)
    {
        if (first == '"')
            return TryText(out place);
        var start = _at - 1;
        if (first == '-')
            first = _at < _json.Length ? _json[_at++] : -1;
        var isNumber = first is >= '0' and <= '9' && (first == '0' || SkipDigits() >= 0);
        if (isNumber && Peek() == '.')
        {
            _at++;
            isNumber = SkipDigits() > 0;
        }
        if (isNumber && (Peek() | 0x20) == 'e')
        {
            _at++;
            if (Peek() is '+' or '-')
                _at++;
            isNumber = SkipDigits() > 0;
        }
        place = start.._at;
        return isNumber;
    }

    private bool TryText(out Range place)
    {
        var start = _at;
        while (_at < _json.Length)
        {
            var next = _json[_at++];
            if (next == '"')
            {
                place = start..(_at - 1);
                return true;
            }
            if (next < ' ' || next == '\\')
                break;
        }
        place = default;
        return false;
    }

    private int SkipDigits()
    {
        var start = _at;
        while (Peek() is >= '0' and <= '9')
            _at++;
        return _at - start;
    }

    private readonly int Peek() => _at < _json.Length ? _json[_at] : -1;
}
