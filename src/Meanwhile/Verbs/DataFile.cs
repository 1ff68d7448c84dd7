using System.CommandLine;
using Meanwhile.History;
using Meanwhile.Settings;

namespace Meanwhile.Verbs;

/// <summary>A file of readings or results, or standard input and output in its place.</summary>
internal static class DataFile
{
    /// <summary>What stands for a file that has no name.</summary>
    public const string StandardInput = "standard input";

    public static readonly Setting<DataFormat?> Format = new(
        "--format", null, null, "json|csv", "JSON Lines or CSV [default: what the name of the file ends with; else json, or what the file looks like when it is read]", ParseFormat);

    public static Argument<string?> Argument(string description) =>
        new("FILE") { Description = description, Arity = ArgumentArity.ZeroOrOne };

    /// <summary>Where a file is; null for standard input or output.</summary>
    public static string? PathOf(VerbContext context, Argument<string?> argument) => context.CommandLine.GetValue(argument) is { } path && path != "-" ? path : null;

    /// <summary>The format of a file that is written: as set, or as its name says.</summary>
    public static DataFormat FormatOf(VerbContext context, string? path) => ChosenFormat(context, path) ?? DataFormat.Json;

    /// <summary>The format of a file: as set, or as its name says; null when neither does.</summary>
    public static DataFormat? ChosenFormat(VerbContext context, string? path) => context.Read(Format) ?? Path.GetExtension(path)?.ToUpperInvariant() switch
    {
        ".CSV" => DataFormat.Csv,
        ".JSON" or ".JSONL" or ".NDJSON" => DataFormat.Json,
        _ => null,
    };

    /// <summary>Writes standard output, or a file that appears under its name only when it is complete.</summary>
    /// <exception cref="UserException">It cannot be written.</exception>
    public static async Task WriteAsync(VerbContext context, string? path, Func<Stream, Task> write)
    {
        if (path is null)
        {
            await write(context.Output);
            return;
        }
        try
        {
            await WriteFileAsync(path, write);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException($"{path} cannot be written ({e.Message}): expected a place with room that can be written to", inner: e);
        }
    }

    /// <summary>Opens a file, or standard input, for reading.</summary>
    /// <param name="length">Its length in bytes; null where that is not known.</param>
    /// <exception cref="UserException">It cannot be read.</exception>
    public static Stream OpenRead(string? path, out long? length)
    {
        length = null;
        if (path is null)
            return Console.OpenStandardInput();
        try
        {
            var file = File.OpenRead(path);
            length = file.CanSeek ? file.Length : null;
            return file;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException($"{path} cannot be read ({e.Message}): expected a file of readings, as meanwhile export writes it", inner: e);
        }
    }

    private static async Task WriteFileAsync(string path, Func<Stream, Task> write)
    {
        var temporary = path + ".part";
        await using var file = File.Create(temporary);
        try
        {
            await write(file);
            await file.FlushAsync(CancellationToken.None);
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    private static DataFormat? ParseFormat(string text) => text switch
    {
        "json" => DataFormat.Json,
        "csv" => DataFormat.Csv,
        _ => throw new FormatException("json or csv"),
    };
}
