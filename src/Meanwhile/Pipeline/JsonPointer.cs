using System.Text;
using System.Text.Json;

namespace Meanwhile.Pipeline;

/// <summary>A place in a JSON document (RFC 6901), such as <c>/sensors/0/temperature</c>.</summary>
internal sealed class JsonPointer
{
    private readonly string _text;
    private readonly byte[][] _tokens;

    private JsonPointer(string text, byte[][] tokens) => (_text, _tokens) = (text, tokens);

    /// <summary>How many steps lead from the root to the place; 0 for the document itself.</summary>
    public int Depth => _tokens.Length;

    /// <summary>Reads a pointer.</summary>
    /// <exception cref="FormatException">It does not start with / or holds a ~ that is followed by neither 0 nor 1.</exception>
    public static JsonPointer Parse(string text)
    {
        if (text.Length == 0)
            return new JsonPointer(text, []);
        if (text[0] != '/')
            throw new FormatException("a JSON Pointer such as /sensor/value (RFC 6901)");
        return new JsonPointer(text, [.. text[1..].Split('/').Select(Unescape)]);
    }

    /// <summary>Whether a member's name, or an element's index, is this pointer's step at a depth.</summary>
    public bool Matches(int depth, ref Utf8JsonReader name) => depth < _tokens.Length && name.ValueTextEquals(_tokens[depth]);

    /// <inheritdoc cref="Matches(int, ref Utf8JsonReader)"/>
    public bool Matches(int depth, int index)
    {
        Span<byte> digits = stackalloc byte[11];
        return depth < _tokens.Length && index.TryFormat(digits, out var length) && digits[..length].SequenceEqual(_tokens[depth]);
    }

    /// <summary>Whether the pointer leads to the member of this name in the document's root.</summary>
    public bool Matches(ReadOnlySpan<byte> name) => _tokens.Length == 1 && name.SequenceEqual(_tokens[0]);

    /// <inheritdoc/>
    public override string ToString() => _text;

    private static byte[] Unescape(string token)
    {
        for (var i = token.IndexOf('~', StringComparison.Ordinal); i >= 0; i = token.IndexOf('~', i + 1))
        {
            if (i + 1 == token.Length || token[i + 1] is not ('0' or '1'))
                throw new FormatException("a JSON Pointer in which ~ is written ~0 and / is written ~1 (RFC 6901)");
        }
        return Encoding.UTF8.GetBytes(token.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal));
    }
}
