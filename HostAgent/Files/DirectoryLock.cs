namespace Hosting.HostAgent.Files;

/// <summary>An exclusive lock on a file, freed by the kernel when its process ends in whatever way.</summary>
internal sealed class DirectoryLock : IDisposable
{
    private static readonly TimeSpan RetryEvery = TimeSpan.FromMilliseconds(20);
    private readonly FileStream _file;

    private DirectoryLock(FileStream file) => _file = file;

    /// <summary>Waits for the lock; null when somebody else held it all the time.</summary>
    public static async Task<DirectoryLock?> TakeAsync(string path, TimeSpan wait, CancellationToken cancellation)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                return new DirectoryLock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
            }
            catch (IOException) when (TimeProvider.System.GetElapsedTime(started) < wait)
            {
                await Task.Delay(RetryEvery, cancellation);
            }
            catch (IOException)
            {
                return null;
            }
        }
    }

    public void Dispose() => _file.Dispose();
}
