using System.Text;

namespace Meanwhile.Terminal;

/// <summary>Asks for a password without showing it; where nobody can be asked, it is the first line of standard input.</summary>
internal static class PasswordPrompt
{
    /// <summary>Reads one.</summary>
    /// <param name="user">Whose.</param>
    /// <exception cref="UserException">There is none, or it was not twice the same.</exception>
    public static byte[] Read(string user)
    {
        var password = Console.IsInputRedirected ? ReadLine() : Ask($"Password of {user}: ");
        if (string.IsNullOrEmpty(password))
            throw new UserException("the password is empty: expected one, at the terminal or as the first line of standard input", ExitCode.Usage);
        if (!Console.IsInputRedirected && Ask("Again: ") != password)
            throw new UserException("these are two passwords: expected the same one twice", ExitCode.Usage);
        return Utf8Text.IsWhole(password)
            ? Encoding.UTF8.GetBytes(password)
            : throw new UserException("the password has U+FFFD in it, which stands for what is not UTF-8: expected a terminal that sends UTF-8", ExitCode.Usage);
    }

    private static string ReadLine()
    {
        using var input = Console.OpenStandardInput();
        List<byte> line = [];
        while (input.ReadByte() is >= 0 and not '\n' and var next)
            line.Add((byte)next);
        try
        {
            return Utf8Text.Decode([.. line]).TrimEnd('\r');
        }
        catch (FormatException e)
        {
            throw new UserException($"the password on standard input: {e.Message}: expected a text in UTF-8", ExitCode.Usage, e);
        }
    }

    private static string Ask(string question)
    {
        Console.Error.Write(question);
        Console.TreatControlCAsInput = true; // Else nobody would hear it before the line is complete.
        var text = new StringBuilder();
        while (Console.ReadKey(intercept: true) is var key && key.Key != ConsoleKey.Enter)
        {
            if (EndOfInput.IsIt(key) || key is { Key: ConsoleKey.C, Modifiers: ConsoleModifiers.Control })
                throw new UserException("no password was given: nothing is changed");
            if (key.Key == ConsoleKey.Backspace && text.Length > 0)
                text.Length--;
            else if (!char.IsControl(key.KeyChar))
                text.Append(key.KeyChar);
        }
        Console.Error.WriteLine();
        return text.ToString();
    }
}
