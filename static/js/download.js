// <button data-download-from="id" data-filename="name"> saves that element's text as a file, without sending it anywhere.
// data-type says what it is: a PEM file unless something else is given.
for (const button of document.querySelectorAll("button[data-download-from]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const source = document.getElementById(button.dataset.downloadFrom);
    const url = URL.createObjectURL(new Blob([source.value], { type: button.dataset.type || "application/x-pem-file" }));
    const link = document.createElement("a");
    link.href = url;
    link.download = button.dataset.filename;
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  });
}
