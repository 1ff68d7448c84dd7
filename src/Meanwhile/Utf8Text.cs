using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace Meanwhile;

/// <summary>Text from outside: UTF-8, with or without a byte order mark. Nothing in it is ever replaced: two names could become one.</summary>
internal static class Utf8Text
{
    private static ReadOnlySpan<byte> Mark => "\uFEFF"u8;

    /// <summary>Reads a file.</summary>
    /// <exception cref="FormatException">It is not UTF-8; the message says where.</exception>
    public static string Read(string path) => Decode(File.ReadAllBytes(path));

    /// <summary>Reads bytes.</summary>
    /// <exception cref="FormatException">They are not UTF-8; the message says where.</exception>
    public static string Decode(ReadOnlySpan<byte> bytes)
    {
        var text = WithoutMark(bytes);
        return (FaultOfStart(bytes) ?? FaultOf(text)) is { } fault ? throw new FormatException(fault) : Encoding.UTF8.GetString(text);
    }

    /// <summary>What comes after the byte order mark, if there is one.</summary>
    public static ReadOnlySpan<byte> WithoutMark(ReadOnlySpan<byte> bytes) => bytes.StartsWith(Mark) ? bytes[Mark.Length..] : bytes;

    /// <summary>Recognises a text in another encoding by its first bytes; null when it looks like none.</summary>
    public static string? FaultOfStart(ReadOnlySpan<byte> bytes)
    {
        var encoding = bytes switch
        {
            [0xFF, 0xFE, 0, 0, ..] or [0, 0, 0xFE, 0xFF, ..] => "UTF-32",
            [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..] => "UTF-16",
            [var first, 0, var second, 0, ..] when IsPlain(first) && IsPlain(second) => "UTF-16LE",
            [0, var first, 0, var second, ..] when IsPlain(first) && IsPlain(second) => "UTF-16BE",
            _ => null,
        };
        return encoding is null ? null : $"this is {encoding[..6]}; convert it to UTF-8 (iconv -f {encoding} -t UTF-8)";
    }

    /// <summary>Where a text is not UTF-8; null where all of it is.</summary>
    /// <param name="line">The number of its first line.</param>
    public static string? FaultOf(ReadOnlySpan<byte> bytes, long line = 1)
    {
        if (Utf8.IsValid(bytes))
            return null;
        var (at, lineStart) = (0, 0);
        while (Rune.DecodeFromUtf8(bytes[at..], out var rune, out var length) == OperationStatus.Done)
        {
            at += length;
            if (rune.Value == '\n')
                (line, lineStart) = (line + 1, at);
        }
        return $"line {line}, column {at - lineStart + 1} (in bytes) is not UTF-8 (byte 0x{bytes[at]:X2})";
    }

    /// <summary>Whether a text that the runtime has made of bytes is what they were: where they are not UTF-8, it puts U+FFFD.</summary>
    public static bool IsWhole(string text) => !text.EnumerateRunes().Contains(Rune.ReplacementChar); // Half of a surrogate pair is enumerated as that as well.

    // Two such characters, each with a zero, begin no text in UTF-8.
    private static bool IsPlain(byte character) => character is (>= (byte)' ' and <= (byte)'~') or (byte)'\t' or (byte)'\r' or (byte)'\n';
}
