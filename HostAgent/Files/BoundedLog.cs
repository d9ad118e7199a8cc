namespace Hosting.HostAgent.Files;

/// <summary>A log that another process appends to, kept within a size by cutting off its older half in place.</summary>
internal static class BoundedLog
{
    private const int MaxBytes = 4 * 1024 * 1024;
    private const int KeptBytes = 1024 * 1024;

    /// <summary>Cuts the file when it grew too long. The writer appends, so it goes on at the new end.</summary>
    public static void Trim(string path)
    {
        var file = new FileInfo(path);
        if (!file.Exists || file.Length <= MaxBytes)
            return;
        var tail = Tail(path, KeptBytes);
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        stream.SetLength(0);
        stream.Write(tail);
    }

    /// <summary>The last lines, for a reason that an operator reads.</summary>
    public static string LastLines(string path, int lines)
    {
        if (!File.Exists(path))
            return "";
        var text = System.Text.Encoding.UTF8.GetString(Tail(path, 4096));
        return string.Join(" | ", text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).TakeLast(lines));
    }

    private static byte[] Tail(string path, int bytes)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        stream.Seek(-Math.Min(bytes, stream.Length), SeekOrigin.End);
        var tail = new byte[Math.Min(bytes, stream.Length)];
        return tail[..stream.ReadAtLeast(tail, tail.Length, throwOnEndOfStream: false)];
    }
}
