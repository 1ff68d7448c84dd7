using DotNetEnv;

namespace Meanwhile.Settings;

/// <summary>Where settings come from when the command line does not give them: the environment, then <c>.env</c>.</summary>
internal sealed class SettingSources
{
    private const string FileName = ".env";
    private readonly Func<string, string?> _environment;
    private readonly Dictionary<string, string> _file;

    private SettingSources(Func<string, string?> environment, Dictionary<string, string> file) => (_environment, _file) = (environment, file);

    /// <summary>Reads <c>.env</c> in a folder, if there is one.</summary>
    /// <exception cref="UserException">It cannot be read or understood.</exception>
    public static SettingSources Load(string folder, Func<string, string?> environment)
    {
        var path = Path.Combine(folder, FileName);
        Dictionary<string, string> file = new(StringComparer.Ordinal);
        if (!File.Exists(path) && !Directory.Exists(path))
            return new SettingSources(environment, file);
        try
        {
            foreach (var (name, value) in Env.LoadContents(Utf8Text.Read(path), Env.NoEnvVars()))
                file[name] = value;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException($"{path} cannot be read ({e.Message}): expected a file of lines such as BROKER=localhost", ExitCode.Usage, e);
        }
        catch (FormatException e)
        {
            throw new UserException($"{path}: {e.Message}: expected a text in UTF-8", ExitCode.Usage, e);
        }
        catch (Exception e) // The library throws its parser's own exceptions.
        {
            throw new UserException($"{path} cannot be understood ({e.Message.ReplaceLineEndings(" ")}): expected lines such as BROKER=localhost", ExitCode.Usage, e);
        }
        return new SettingSources(environment, file);
    }

    /// <summary>A variable's value and where it was found; null when it is nowhere, or empty.</summary>
    /// <exception cref="UserException">It is not UTF-8.</exception>
    public (string Value, string Source)? Find(string variable)
    {
        var (value, source) = _environment(variable) is { Length: > 0 } fromEnvironment ? (fromEnvironment, "the environment") : (_file.GetValueOrDefault(variable, ""), FileName);
        if (!Utf8Text.IsWhole(value))
            throw new UserException($"{variable} in {source}: '{value}' is not UTF-8, or has U+FFFD in it, which stands for what is not: expected a text in UTF-8", ExitCode.Usage);
        return value.Length > 0 ? (value, source) : null;
    }
}
